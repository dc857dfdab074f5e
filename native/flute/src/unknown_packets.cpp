#include "flute/src/unknown_packets.hpp"

namespace streamverse::flute {
namespace {

// What a kept datagram costs beside its own bytes: vector, allocation, its share of the object's entry.
constexpr uint64_t kOverheadBytes = 128;

}  // namespace

void UnknownPackets::Keep(uint64_t session, Toi toi, Bytes datagram) {
    const uint64_t cost = datagram.size() + kOverheadBytes;
    if (cost > bytesMax_) {
        ++dropped_;
        return;
    }
    while (bytes_ + cost > bytesMax_) {
        DropOldest();
    }
    const Key key{session, toi};
    auto found = index_.find(key);
    if (found == index_.end()) {
        items_.push_back({key, 0, {}});
        found = index_.emplace(key, std::prev(items_.end())).first;
    }
    Item& item = *found->second;
    item.datagrams.emplace_back(datagram.begin(), datagram.end());
    item.bytes += cost;
    bytes_ += cost;
}

void UnknownPackets::DropOldest() {
    const Item& item = items_.front();
    bytes_ -= item.bytes;
    dropped_ += item.datagrams.size();
    index_.erase(item.key);
    items_.pop_front();
}

std::vector<std::vector<uint8_t>> UnknownPackets::Take(uint64_t session, Toi toi) {
    const auto found = index_.find({session, toi});
    if (found == index_.end()) {
        return {};
    }
    std::vector<std::vector<uint8_t>> taken = std::move(found->second->datagrams);
    bytes_ -= found->second->bytes;
    items_.erase(found->second);
    index_.erase(found);
    return taken;
}

}  // namespace streamverse::flute
