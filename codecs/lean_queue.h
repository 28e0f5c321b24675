#pragma once

// A queue for what one connection is owed: mostly empty or one deep, at times very deep.
//
// It takes no memory before its first entry, none anew for each, and gives back what a deep one
// took once that is empty. References and iterators die with each call that is not const.

#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

namespace misrule::codecs {

template <class T>
class LeanQueue {
 public:
  using iterator = typename std::vector<T>::iterator;
  using const_iterator = typename std::vector<T>::const_iterator;

  bool empty() const { return first_ == items_.size(); }
  std::size_t size() const { return items_.size() - first_; }
  T& front() { return items_[first_]; }
  const T& front() const { return items_[first_]; }
  T& back() { return items_.back(); }
  const T& back() const { return items_.back(); }
  iterator begin() { return items_.begin() + static_cast<std::ptrdiff_t>(first_); }
  iterator end() { return items_.end(); }
  const_iterator begin() const { return items_.begin() + static_cast<std::ptrdiff_t>(first_); }
  const_iterator end() const { return items_.end(); }

  void push(T&& item) { items_.push_back(std::move(item)); }
  void pop() { erase(begin(), begin() + 1); }
  T take() {
    T taken = std::move(front());
    pop();
    return taken;
  }
  void erase(iterator first, iterator last) {
    if (first == begin()) {
      drop_front(static_cast<std::size_t>(last - first));
    } else {
      items_.erase(first, last);
    }
  }
  /// Everything, oldest first; nothing is left.
  std::vector<T> take_all() {
    std::vector<T> all(std::make_move_iterator(begin()), std::make_move_iterator(end()));
    *this = {};
    return all;
  }

 private:
  static constexpr std::size_t kKept = 32;

  void drop_front(std::size_t count) {
    if (count == size()) {
      items_.clear();
      if (items_.capacity() > kKept) std::vector<T>().swap(items_);
      first_ = 0;
      return;
    }
    for (std::size_t i = 0; i < count; ++i) items_[first_ + i] = T{};
    first_ += count;
    if (first_ >= kKept && first_ * 2 >= items_.size()) {
      // Each entry is moved at most once for every one that was dropped.
      items_.erase(items_.begin(), begin());
      first_ = 0;
    }
  }

  std::vector<T> items_;
  std::size_t first_ = 0;
};

}  // namespace misrule::codecs
