#include "flute/src/byte_ranges.hpp"

#include <algorithm>
#include <iterator>

namespace streamverse::flute {

void ByteRanges::Add(uint64_t begin, uint64_t end) {
    auto at = ranges_.upper_bound(begin);
    if (at != ranges_.begin() && std::prev(at)->second >= begin) {
        --at;
    }
    while (at != ranges_.end() && at->first <= end) {
        begin = std::min(begin, at->first);
        end = std::max(end, at->second);
        at = ranges_.erase(at);
    }
    if (ranges_.size() < rangesMax_) {
        ranges_.emplace(begin, end);
    }
}

bool ByteRanges::Covers(uint64_t begin, uint64_t end) const {
    const auto after = ranges_.upper_bound(begin);
    return after != ranges_.begin() && std::prev(after)->second >= end;
}

}  // namespace streamverse::flute
