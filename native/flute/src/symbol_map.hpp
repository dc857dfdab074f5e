// Which symbols of an object are in place. One thread sets, any thread reads: bits are set after the bytes
// are written, so whoever sees a bit may read the bytes.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

namespace streamverse::flute {

class SymbolMap {
 public:
    explicit SymbolMap(uint64_t symbols);

    [[nodiscard]] uint64_t symbols() const { return symbols_; }
    [[nodiscard]] uint64_t bytes() const { return words_ * 8; }
    [[nodiscard]] bool Test(uint64_t symbol) const {
        return (map_[symbol / 64].load(std::memory_order_acquire) >> (symbol % 64) & 1) != 0;
    }
    void Set(uint64_t begin, uint64_t end);
    void Clear();
    [[nodiscard]] uint64_t Count(uint64_t begin, uint64_t end) const;
    // The first symbol at or after `from` and before `end` whose bit is `value`; `end` when there is none.
    [[nodiscard]] uint64_t Find(bool value, uint64_t from, uint64_t end) const;

 private:
    uint64_t symbols_;
    uint64_t words_;
    std::unique_ptr<std::atomic<uint64_t>[]> map_;
};

}  // namespace streamverse::flute
