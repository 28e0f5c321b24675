// The loop's own promises: timers in order and cancellable, posted work, deferred coroutines.

#include "proxy/net/loop.h"

#include <chrono>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "proxy/net/gate.h"
#include "proxy/net/task.h"
#include "proxy/net/write_turns.h"

namespace misrule::proxy {
namespace {

using codecs::Released;
using std::chrono::milliseconds;

class LoopTest : public ::testing::Test {
 protected:
  ManualClock clock_;
  Loop loop_{clock_, kernel_sockets()};
  std::string said_;
};

TEST_F(LoopTest, TimersRingInOrderOfTimeAndNeverEarly) {
  loop_.at(clock_.now() + milliseconds(20), [this] { said_ += "late "; });
  loop_.at(clock_.now() + milliseconds(10), [this] { said_ += "early "; });
  clock_.advance(milliseconds(9));
  loop_.tick(0);
  EXPECT_EQ(said_, "");
  clock_.advance(milliseconds(1));
  loop_.tick(0);
  EXPECT_EQ(said_, "early ");
  clock_.advance(milliseconds(10));
  loop_.tick(0);
  EXPECT_EQ(said_, "early late ");
}

TEST_F(LoopTest, ACancelledTimerNeverRings) {
  Loop::Timer timer = loop_.at(clock_.now(), [this] { said_ += "rang"; });
  loop_.cancel(timer);
  loop_.cancel(timer);
  clock_.advance(milliseconds(1));
  loop_.tick(0);
  EXPECT_EQ(said_, "");
}

TEST_F(LoopTest, ATimerMayCancelItsNeighbour) {
  Loop::Timer second;
  loop_.at(clock_.now(), [&] { loop_.cancel(second); });
  second = loop_.at(clock_.now(), [this] { said_ += "rang"; });
  loop_.tick(0);
  EXPECT_EQ(said_, "");
}

TEST_F(LoopTest, WhatAnotherThreadPostsRunsInTheLoop) {
  std::thread::id ran_in;
  std::thread other([&] { loop_.post([&] { ran_in = std::this_thread::get_id(); }); });
  other.join();
  loop_.tick(0);
  EXPECT_EQ(ran_in, std::this_thread::get_id());
}

TEST_F(LoopTest, TheBuriedAreDestroyedAtTheEndOfTheTick) {
  const auto sign = [this](std::string* text) {
    said_ += "destroyed";
    delete text;
  };
  loop_.post([&] {
    loop_.bury(std::shared_ptr<std::string>(new std::string, sign));
    said_ += "buried ";
  });
  loop_.tick(0);
  EXPECT_EQ(said_, "buried destroyed");
}

Task wait_at(Gate& gate, TimePoint due, std::string& said) {
  const Released why = co_await gate.wait_until(due);
  said += why == Released::kDue ? "due " : "released ";
}

TEST_F(LoopTest, AGateOpensWhenItsTimeHasCome) {
  Gate gate(loop_);
  const Task task = wait_at(gate, clock_.now() + milliseconds(5), said_);
  EXPECT_TRUE(gate.waiting());
  clock_.advance(milliseconds(5));
  loop_.tick(0);
  EXPECT_EQ(said_, "due ");
  EXPECT_TRUE(task.done());
}

TEST_F(LoopTest, AReleasedGateOpensOnceAndItsTimerIsGone) {
  Gate gate(loop_);
  const Task first = wait_at(gate, clock_.now() + milliseconds(5), said_);
  gate.release(Released::kRuleEnded);
  gate.release(Released::kCancelled);
  EXPECT_EQ(said_, "");
  loop_.tick(0);
  EXPECT_EQ(said_, "released ");
  clock_.advance(milliseconds(5));
  loop_.tick(0);
  EXPECT_EQ(said_, "released ");
}

Task say_in_turn(WriteTurn turn, Gate* gate, TimePoint due, std::string* said, std::string word) {
  co_await turn;
  if (gate != nullptr) co_await gate->wait_until(due);
  *said += word;
  turn.give_back();
}

TEST_F(LoopTest, TurnsAreHandedOnInTheOrderAsked) {
  WriteTurns turns(loop_);
  Gate gate(loop_);
  const TimePoint due = clock_.now() + milliseconds(5);
  const Task first = say_in_turn(WriteTurn(turns), &gate, due, &said_, "first ");
  const Task second = say_in_turn(WriteTurn(turns), nullptr, due, &said_, "second ");
  const Task third = say_in_turn(WriteTurn(turns), nullptr, due, &said_, "third ");
  loop_.tick(0);
  EXPECT_EQ(said_, "");
  clock_.advance(milliseconds(5));
  loop_.tick(0);
  EXPECT_EQ(said_, "first second third ");
  EXPECT_TRUE(third.done());
}

Task fail_later(Gate& gate, TimePoint due) {
  co_await gate.wait_until(due);
  throw std::runtime_error("late");
}

Task catch_it(Gate& gate, TimePoint due, std::string& said) {
  try {
    co_await fail_later(gate, due);
  } catch (const std::runtime_error& error) {
    said += error.what();
  }
}

TEST_F(LoopTest, AnExceptionTravelsToWhoeverAwaits) {
  Gate gate(loop_);
  const Task task = catch_it(gate, clock_.now() + milliseconds(1), said_);
  clock_.advance(milliseconds(1));
  loop_.tick(0);
  EXPECT_EQ(said_, "late");
}

}  // namespace
}  // namespace misrule::proxy
