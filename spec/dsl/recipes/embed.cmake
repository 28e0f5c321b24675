# Writes a C++ file that holds the recipes as texts:
#   cmake -DFOLDER=... -DOUT=... -DNAMES=a,b -P embed.cmake
set(content "#include \"spec/dsl/recipes.h\"\n\nnamespace misrule::dsl {\n\n")
string(APPEND content "const std::vector<Recipe>& recipes() {\n")
string(APPEND content "  static const std::vector<Recipe> kRecipes = {\n")
string(REPLACE "," ";" names "${NAMES}")
foreach(name ${names})
  file(READ ${FOLDER}/${name}.star text)
  string(APPEND content "      {\"${name}.star\", R\"STAR(${text})STAR\"},\n")
endforeach()
string(APPEND content "  };\n  return kRecipes;\n}\n\n}  // namespace misrule::dsl\n")
file(WRITE ${OUT} "${content}")
