// Byte ranges that merge, bounded in number: the edges of repaired ranges that end inside a symbol.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

namespace streamverse::flute {

class ByteRanges {
 public:
    explicit ByteRanges(size_t rangesMax) : rangesMax_(rangesMax) {}
    // Once full, ranges that touch none are left out: their symbols then count only when they come whole.
    void Add(uint64_t begin, uint64_t end);
    [[nodiscard]] bool Covers(uint64_t begin, uint64_t end) const;
    void Clear() { ranges_.clear(); }

 private:
    size_t rangesMax_;
    std::map<uint64_t, uint64_t> ranges_;
};

}  // namespace streamverse::flute
