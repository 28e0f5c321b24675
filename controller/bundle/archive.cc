#include "controller/bundle/archive.h"

#include <array>
#include <memory>

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

namespace misrule::controller {

namespace {

constexpr std::size_t kBlockBytes = std::size_t{64} << 10U;
constexpr std::size_t kNameBytesMax = 512;

using Entry = std::unique_ptr<archive_entry, decltype(&archive_entry_free)>;
using Reader = std::unique_ptr<archive, decltype(&archive_read_free)>;
using Writer = std::unique_ptr<archive, decltype(&archive_write_free)>;

std::string words_of(archive* archive) {
  const char* words = archive_error_string(archive);
  return words == nullptr ? "it cannot be read" : words;
}

/// Of an archive that others may have made.
bool is_harmless_name(std::string_view name) {
  if (name.empty() || name.size() > kNameBytesMax || name.front() == '/') return false;
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == '\\' || c == 0x7f) return false;
  }
  while (!name.empty()) {
    const std::size_t end = std::min(name.find('/'), name.size());
    const std::string_view part = name.substr(0, end);
    if (part.empty() || part == "." || part == "..") return false;
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  return true;
}

class Unpacking {
 public:
  Unpacking(std::string path, const ArchiveBounds& bounds)
      : path_(std::move(path)), bounds_(bounds) {}

  Result<ArchiveFiles> run();

 private:
  Status take(archive* archive, archive_entry* entry);
  Error wrong(std::string_view what) const {
    return {.code = Code::kInvalid, .what = fmt::format("{}: {}", path_, what)};
  }

  std::string path_;
  ArchiveBounds bounds_;
  std::uint64_t bytes_ = 0;
  ArchiveFiles files_ = {};
};

Status Unpacking::take(archive* archive, archive_entry* entry) {
  const char* said = archive_entry_pathname(entry);
  const std::string name = said == nullptr ? "" : said;
  if (!is_harmless_name(name)) return std::unexpected(wrong("it has a file with a harmful name"));
  if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr) {
    return std::unexpected(wrong(fmt::format("{} is no plain file", name)));
  }
  const auto [at, fresh] = files_.emplace(name, "");
  if (!fresh) return std::unexpected(wrong(fmt::format("it has {} twice", name)));
  if (files_.size() > bounds_.files_max) return std::unexpected(wrong("it has too many files"));
  std::array<char, kBlockBytes> block;
  for (;;) {
    const la_ssize_t got = archive_read_data(archive, block.data(), block.size());
    if (got < 0) return std::unexpected(wrong(words_of(archive)));
    if (got == 0) return {};
    bytes_ += static_cast<std::uint64_t>(got);
    if (bytes_ > bounds_.bytes_max) {
      return std::unexpected(
          wrong(fmt::format("it unpacks to more than {} MiB", bounds_.bytes_max >> 20U)));
    }
    at->second.append(block.data(), static_cast<std::size_t>(got));
  }
}

Result<ArchiveFiles> Unpacking::run() {
  const Reader archive(archive_read_new(), archive_read_free);
  archive_read_support_format_tar(archive.get());
  archive_read_support_filter_zstd(archive.get());
  if (archive_read_open_filename(archive.get(), path_.c_str(), kBlockBytes) != ARCHIVE_OK) {
    return std::unexpected(wrong(words_of(archive.get())));
  }
  for (;;) {
    archive_entry* entry = nullptr;
    const int got = archive_read_next_header(archive.get(), &entry);
    if (got == ARCHIVE_EOF) break;
    if (got != ARCHIVE_OK) return std::unexpected(wrong(words_of(archive.get())));
    MISRULE_TRY_VOID(take(archive.get(), entry));
  }
  return std::move(files_);
}

}  // namespace

Status write_archive(const std::string& path, const ArchiveFiles& files) {
  const Writer archive(archive_write_new(), archive_write_free);
  const auto failed = [&] {
    return fail(Code::kIo, fmt::format("cannot write {}: {}", path, words_of(archive.get())));
  };
  archive_write_set_format_pax_restricted(archive.get());
  if (archive_write_add_filter_zstd(archive.get()) != ARCHIVE_OK ||
      archive_write_open_filename(archive.get(), path.c_str()) != ARCHIVE_OK) {
    return failed();
  }
  for (const auto& [name, content] : files) {
    const Entry entry(archive_entry_new(), archive_entry_free);
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
    if (archive_write_header(archive.get(), entry.get()) != ARCHIVE_OK) return failed();
    if (archive_write_data(archive.get(), content.data(), content.size()) !=
        static_cast<la_ssize_t>(content.size())) {
      return failed();
    }
  }
  return archive_write_close(archive.get()) == ARCHIVE_OK ? Status() : failed();
}

Result<ArchiveFiles> read_archive(const std::string& path, const ArchiveBounds& bounds) {
  return Unpacking(path, bounds).run();
}

}  // namespace misrule::controller
