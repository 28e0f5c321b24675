#pragma once

// What passed one listener while rules concerned it: the stuff that near misses are made of.
//
// Bounded: of texts that are all different it keeps those seen most often and most lately, so a hot
// path costs one lookup and a flood costs no memory. After so many texts of a flood only one of
// some is looked at: one that comes again and again is still kept. Thread-safe.

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace misrule::rules {

class Sightings {
 public:
  enum class Kind : std::uint8_t {
    kUnit,               ///< Decided as usual.
    kFailedTransaction,  ///< An error rule wanted it; see Untouchable.
    kRollback,
    kInTransaction,
    kOtherSession,  ///< Its text was wanted; the session was not.
    kNeverSo,
    kOtherDetail,    ///< Its text was wanted; a header, a parameter, a table was not.
    kOutsideWindow,  ///< Too early or too late.
    kOpaque,         ///< A connection that could not be decoded; the subject says why.
  };
  struct Entry {
    Kind kind = Kind::kUnit;
    std::string operation = {};
    std::string subject = {};  ///< Its first kilobyte.
    std::uint64_t count = 0;
    std::uint64_t last_seen = 0;  // A running number; decides between equal counts.
  };

  explicit Sightings(std::string consumer) : consumer_(std::move(consumer)) {}

  void saw(Kind kind, std::string_view operation, std::string_view subject);

  /// Whose traffic this is; empty where anybody may connect.
  const std::string& consumer() const { return consumer_; }
  /// How many of kUnit in all, those whose text was dropped included.
  std::uint64_t units() const { return units_.load(std::memory_order_relaxed); }
  std::vector<Entry> entries() const;

 private:
  static constexpr std::size_t kEntriesMax = 64;
  static constexpr std::uint64_t kFlood = 4096;
  static constexpr std::uint64_t kOneOfFlood = 64;

  /// Null if it is not kept.
  Entry* find_or_make(Kind kind, std::string_view operation, std::string_view subject);

  const std::string consumer_;
  std::atomic<std::uint64_t> units_ = 0;
  mutable std::mutex mutex_;
  std::uint64_t seen_ = 0;
  std::uint64_t unknown_ = 0;  // Texts for which there was no entry and no room.
  std::vector<Entry> entries_;
  std::unordered_map<std::uint64_t, std::size_t> by_hash_;  // Of what identifies an entry.
};

}  // namespace misrule::rules
