// How much stack an OS thread has: depth is counted too, but frames of natives differ in size.

#include "spec/starlark/eval/stack_bounds.h"

#include <cstddef>

#include <pthread.h>

namespace misrule::star {
namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr std::size_t kReserve = std::size_t{3} << 20;
#else
constexpr std::size_t kReserve = std::size_t{1} << 20;
#endif
#else
constexpr std::size_t kReserve = std::size_t{1} << 20;
#endif

const char* lowest_allowed() {
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return nullptr;
  void* base = nullptr;
  std::size_t size = 0;
  pthread_attr_getstack(&attributes, &base, &size);
  pthread_attr_destroy(&attributes);
  const std::size_t reserve = size > 2 * kReserve ? kReserve : size / 4;
  return static_cast<const char*>(base) + reserve;
}

}  // namespace

bool stack_exhausted() {
  thread_local const char* const lowest = lowest_allowed();
  // Not the address of a local: sanitizers keep those elsewhere.
  return static_cast<const char*>(__builtin_frame_address(0)) < lowest;
}

}  // namespace misrule::star
