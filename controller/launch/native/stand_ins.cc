#include "controller/launch/native/postgres.h"
#include "controller/launch/native/redis.h"
#include "controller/launch/native/stand_in.h"

namespace misrule::controller::native {

ImageName parse_image(std::string_view image) {
  const std::size_t slash = image.rfind('/');
  std::string_view rest = slash == std::string_view::npos ? image : image.substr(slash + 1);
  rest = rest.substr(0, rest.find('@'));
  const std::size_t colon = rest.find(':');
  if (colon == std::string_view::npos) return {.name = std::string(rest), .tag = "latest"};
  return {.name = std::string(rest.substr(0, colon)), .tag = std::string(rest.substr(colon + 1))};
}

std::vector<const StandIn*> all_stand_ins() {
  static const PostgresStandIn postgres;
  static const RedisStandIn redis;
  return {&postgres, &redis};
}

const StandIn* find_stand_in(std::string_view image) {
  const ImageName wanted = parse_image(image);
  for (const StandIn* candidate : all_stand_ins()) {
    if (candidate->image() == wanted.name) return candidate;
  }
  return nullptr;
}

}  // namespace misrule::controller::native
