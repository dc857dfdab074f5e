#include "flute/src/symbol_map.hpp"

#include <algorithm>
#include <bit>

namespace streamverse::flute {
namespace {

// The bits of word `word` that lie inside [begin, end).
uint64_t Mask(uint64_t word, uint64_t begin, uint64_t end) {
    const uint64_t first = word * 64;
    uint64_t mask = ~uint64_t{0};
    if (begin > first) {
        mask &= ~uint64_t{0} << (begin - first);
    }
    if (end < first + 64) {
        mask &= ~(~uint64_t{0} << (end - first));
    }
    return mask;
}

}  // namespace

SymbolMap::SymbolMap(uint64_t symbols)
    : symbols_(symbols),
      words_((symbols + 63) / 64),
      map_(std::make_unique<std::atomic<uint64_t>[]>(words_)) {}

void SymbolMap::Set(uint64_t begin, uint64_t end) {
    for (uint64_t word = begin / 64; word * 64 < end; ++word) {
        const uint64_t old = map_[word].load(std::memory_order_relaxed);
        map_[word].store(old | Mask(word, begin, end), std::memory_order_release);
    }
}

void SymbolMap::Clear() {
    for (uint64_t word = 0; word < words_; ++word) {
        map_[word].store(0, std::memory_order_release);
    }
}

uint64_t SymbolMap::Count(uint64_t begin, uint64_t end) const {
    uint64_t count = 0;
    for (uint64_t word = begin / 64; word * 64 < end; ++word) {
        count += static_cast<uint64_t>(
            std::popcount(map_[word].load(std::memory_order_acquire) & Mask(word, begin, end)));
    }
    return count;
}

uint64_t SymbolMap::Find(bool value, uint64_t from, uint64_t end) const {
    for (uint64_t word = from / 64; word * 64 < end; ++word) {
        const uint64_t bits = map_[word].load(std::memory_order_acquire);
        const uint64_t found = (value ? bits : ~bits) & Mask(word, from, end);
        if (found != 0) {
            return word * 64 + static_cast<uint64_t>(std::countr_zero(found));
        }
    }
    return std::max(from, end);
}

}  // namespace streamverse::flute
