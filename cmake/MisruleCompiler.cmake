# The compiler and the flags that every target of ours is built with.

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  message(FATAL_ERROR "g++ ${CMAKE_CXX_COMPILER_VERSION} compiles coroutines wrongly (temporaries of a "
    "full expression that awaits are destroyed twice). Use clang++-19: make setup installs it.")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

option(MISRULE_FUZZ "Build the libFuzzer targets" OFF)
set(MISRULE_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= wants them")

find_program(MISRULE_CCACHE ccache)
if(MISRULE_CCACHE)
  # Precompiled headers are cached only when ccache may ignore their time stamps.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${MISRULE_CCACHE})
endif()

add_library(misrule_flags INTERFACE)
target_compile_options(misrule_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -fno-omit-frame-pointer
  -Wno-missing-designated-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(misrule_flags INTERFACE "SHELL:-Xclang -fno-pch-timestamp")
endif()
target_include_directories(misrule_flags INTERFACE ${CMAKE_SOURCE_DIR})
if(MISRULE_SANITIZE)
  add_compile_options(-fsanitize=${MISRULE_SANITIZE} -fno-sanitize-recover=all -g1)
  add_link_options(-fsanitize=${MISRULE_SANITIZE})
endif()
if(MISRULE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
add_link_options(-fuse-ld=lld)
