// What other threads may ask about objects without waiting for the receiver thread.
#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "flute/src/symbol_map.hpp"

namespace streamverse::flute {

struct ByteRange {
    uint64_t offset = 0;
    uint64_t length = 0;
};

struct ObjectView {
    uint64_t transferLength = 0;
    uint64_t symbolBytes = 1;
    bool complete = false;
    std::shared_ptr<const SymbolMap> map;  // absent until the first byte
};

class ObjectViews {
 public:
    void Set(uint64_t id, ObjectView view);
    void Remove(uint64_t id);
    // Nothing for an unknown id. At most `rangesMax` ranges, so that an answer is bounded.
    [[nodiscard]] std::vector<ByteRange> Missing(uint64_t id) const;
    [[nodiscard]] std::vector<ByteRange> Available(uint64_t id, uint64_t offset, uint64_t length) const;

 private:
    [[nodiscard]] ObjectView Find(uint64_t id) const;

    mutable std::mutex mutex_;
    std::unordered_map<uint64_t, ObjectView> views_;
};

}  // namespace streamverse::flute
