// Datagrams of objects that no FDT instance has described yet (RFC 3926 section 3.3: the FDT may come later).
#pragma once

#include <cstdint>
#include <list>
#include <unordered_map>
#include <vector>

#include "flute/src/big_endian.hpp"
#include "flute/src/toi.hpp"

namespace streamverse::flute {

// Bounded in bytes over all sessions; the object that came first goes first.
class UnknownPackets {
 public:
    explicit UnknownPackets(uint64_t bytesMax) : bytesMax_(bytesMax) {}

    void Keep(uint64_t session, Toi toi, Bytes datagram);
    [[nodiscard]] std::vector<std::vector<uint8_t>> Take(uint64_t session, Toi toi);
    [[nodiscard]] uint64_t bytes() const { return bytes_; }
    [[nodiscard]] uint64_t dropped() const { return dropped_; }

 private:
    struct Key {
        uint64_t session;
        Toi toi;
        bool operator==(const Key&) const = default;
    };
    struct KeyHash {
        size_t operator()(const Key& key) const noexcept { return ToiHash{}(key.toi) ^ (key.session << 32); }
    };
    struct Item {
        Key key;
        uint64_t bytes = 0;
        std::vector<std::vector<uint8_t>> datagrams;
    };

    void DropOldest();

    uint64_t bytesMax_;
    uint64_t bytes_ = 0;
    uint64_t dropped_ = 0;
    std::list<Item> items_;  // oldest object first
    std::unordered_map<Key, std::list<Item>::iterator, KeyHash> index_;
};

}  // namespace streamverse::flute
