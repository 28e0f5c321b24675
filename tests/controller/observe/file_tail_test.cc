#include "controller/observe/file_tail.h"

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace misrule::controller {
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

class CollectingSink final : public model::EventSink {
 public:
  std::uint64_t emit(model::Event event) override {
    const std::scoped_lock lock(mutex_);
    events_.push_back(std::move(event));
    return events_.size();
  }
  Lines bodies() const {
    const std::scoped_lock lock(mutex_);
    Lines bodies;
    for (const model::Event& event : events_) {
      const model::Field* body = event.find(event.type == "file" ? "body" : "action");
      bodies.push_back(model::field_text(*body));
    }
    return bodies;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<model::Event> events_;
};

class FileTailTest : public testing::Test {
 protected:
  FileTailTest() {
    std::string name = fs::temp_directory_path() / "misrule-tail-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    path_ = folder_ / "app.log";
  }
  ~FileTailTest() override { fs::remove_all(folder_); }

  void append(const std::string& text, const std::string& name = "app.log") const {
    std::ofstream(folder_ / name, std::ios::app) << text;
  }
  void start(OutputLimits limits = {}, bool is_fresh = false) {
    tail_ = FileTail::start({.service = "api",
                             .path = "app.log",
                             .sink = sink_,
                             .locate = [this] { return locate(); },
                             .is_fresh = is_fresh,
                             .limits = limits});
  }
  /// All that had been written is told when the barrier has passed.
  Lines told() {
    EXPECT_TRUE(tail_->barrier({}).has_value());
    return sink_.bodies();
  }

  /// What `change` does happens between two looks.
  Lines told_after(const std::function<void()>& change) {
    {
      std::unique_lock lock(gate_mutex_);
      is_closed_ = true;
      gate_changed_.wait(lock, [this] { return is_waiting_; });
      change();
      is_closed_ = false;
    }
    gate_changed_.notify_all();
    return told();
  }
  std::optional<std::string> locate() {
    std::unique_lock lock(gate_mutex_);
    is_waiting_ = is_closed_;
    gate_changed_.notify_all();
    gate_changed_.wait(lock, [this] { return !is_closed_; });
    is_waiting_ = false;
    return path_.string();
  }
  /// A file that comes to stand at the path at once, whole.
  void put(const std::string& text) const {
    std::ofstream(folder_ / "new") << text;
    fs::rename(folder_ / "new", path_);
  }
  void write_anew(const std::string& text) const { std::ofstream(path_, std::ios::trunc) << text; }

  std::mutex gate_mutex_;
  std::condition_variable gate_changed_;
  bool is_closed_ = false;
  bool is_waiting_ = false;
  fs::path folder_;
  fs::path path_;
  CollectingSink sink_;
  std::unique_ptr<FileTail> tail_;
};

TEST_F(FileTailTest, LinesAreToldOnceTheyEnd) {
  append("old\n");
  start();
  append("one\nt");
  EXPECT_EQ(told(), (Lines{"one"}));
  append("wo\r\nrest");
  EXPECT_EQ(told(), (Lines{"one", "two"}));
  EXPECT_TRUE(tail_->finish().has_value());
  EXPECT_EQ(sink_.bodies(), (Lines{"one", "two", "rest"}));
  EXPECT_EQ(tail_->lag().events, 3U);
}

TEST_F(FileTailTest, AFreshFoldersFileIsReadFromItsBeginning) {
  append("first\n");
  start({}, true);
  EXPECT_EQ(told(), (Lines{"first"}));
}

TEST_F(FileTailTest, AFileMayComeLate) {
  start();
  EXPECT_EQ(told(), Lines{});
  EXPECT_NE(tail_->note().find("there was no such file"), std::string::npos);
  append("one\n");
  EXPECT_EQ(told(), (Lines{"one"}));
  EXPECT_EQ(tail_->note(), "");
}

TEST_F(FileTailTest, ARenamedFileIsReadToItsEndAndTheNextFromItsBeginning) {
  start();
  append("one\n");
  EXPECT_EQ(told(), (Lines{"one"}));
  append("two\n");
  fs::rename(path_, folder_ / "app.log.1");
  append("three\n");
  EXPECT_EQ(told(), (Lines{"one", "two", "three"}));
  // Whoever wrote has not noticed yet.
  append("late\n", "app.log.1");
  EXPECT_EQ(told(), (Lines{"one", "two", "three", "late"}));
}

TEST_F(FileTailTest, ATruncatedFileIsReadFromItsBeginning) {
  start();
  append("one\ntwo\n");
  EXPECT_EQ(told(), (Lines{"one", "two"}));
  fs::copy_file(path_, folder_ / "app.log.1");
  fs::resize_file(path_, 0);
  append("new\n");
  EXPECT_EQ(told(), (Lines{"one", "two", "new"}));
  // As long as before, and longer: the bytes before our place are others.
  fs::resize_file(path_, 0);
  append("3 and more than was there\n");
  EXPECT_EQ(told(), (Lines{"one", "two", "new", "3 and more than was there"}));
}

TEST_F(FileTailTest, ADeletedFileIsReadAndComesAnew) {
  start();
  std::ofstream open(path_, std::ios::app);
  open << "one\n" << std::flush;
  EXPECT_EQ(told(), (Lines{"one"}));
  fs::remove(path_);
  open << "still\n" << std::flush;
  EXPECT_EQ(told(), (Lines{"one", "still"}));
  append("anew\n");
  EXPECT_EQ(told(), (Lines{"one", "still", "anew"}));
}

TEST_F(FileTailTest, AFileThatCameAndWentBetweenTwoLooksIsAGap) {
  start();
  EXPECT_EQ(told_after([&] { put("one\n"); }), (Lines{"one"})) << "the control";
  Lines all = {"one", "gap", "three"};
  EXPECT_EQ(told_after([&] {
              put("two\n");
              put("three\n");
            }),
            all);
  EXPECT_EQ(told_after([&] { fs::remove(path_); }), all);
  all.emplace_back("gap");
  EXPECT_EQ(told_after([&] {
              append("four\n");
              fs::remove(path_);
            }),
            all);
}

TEST_F(FileTailTest, AFileThatComesBackIsKnown) {
  start();
  EXPECT_EQ(told_after([&] { append("one\n"); }), (Lines{"one"}));
  EXPECT_EQ(told_after([&] {
              fs::rename(path_, folder_ / "away");
              fs::rename(folder_ / "away", path_);
              append("two\n");
            }),
            (Lines{"one", "two"}));
}

TEST_F(FileTailTest, TwiceWrittenAnewBetweenTwoLooksIsAGap) {
  start();
  EXPECT_EQ(told_after([&] { append("old\n"); }), (Lines{"old"}));
  EXPECT_EQ(told_after([&] { write_anew("one\n"); }), (Lines{"old", "one"})) << "the control";
  EXPECT_EQ(told_after([&] {
              write_anew("two\n");
              write_anew("three\n");
            }),
            (Lines{"old", "one", "three", "gap"}));
  // Who reads it and who appends takes nothing away.
  EXPECT_EQ(told_after([&] {
              fs::copy_file(path_, folder_ / "copy");
              append("4\n");
              append("5\n");
            }),
            (Lines{"old", "one", "three", "gap", "4", "5"}));
}

TEST_F(FileTailTest, ALineOfAMegabyteIsOne) {
  start();
  const std::string line(1'000'000, 'x');
  append(line + "\n\xff\xfe\n");
  EXPECT_EQ(told(), (Lines{line, "\xff\xfe"}));
}

TEST_F(FileTailTest, BeyondItsBoundAnEventSaysSo) {
  start({.lines = 2});
  append("1\n2\n3\n4\n");
  EXPECT_EQ(told(), (Lines{"1", "2", "output_cut"}));
}

// Its own failure is never a silent end.
TEST_F(FileTailTest, WhatIsNoFileIsAFailure) {
  start();
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_FALSE(tail_->barrier({}).has_value());
  EXPECT_NE(tail_->status().error().what.find("no regular file"), std::string::npos);
  EXPECT_FALSE(tail_->finish().has_value());
}

}  // namespace
}  // namespace misrule::controller
