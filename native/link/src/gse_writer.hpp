// IP datagrams in the data fields of BBFRAMEs (TS 102 606-1, 4.2).
#pragma once

#include <optional>

#include "link/src/datagram_queue.hpp"
#include "link/src/ip_datagram.hpp"
#include "link/src/packetizer.hpp"

namespace streamverse::link {

enum class LabelRule : uint8_t { kMac, kNone, kReuse };

class GseWriter {
 public:
    GseWriter(LabelRule rule, bool isLite, size_t queueBytesMax)
        : rule_(rule), isLite_(isLite), queue_(queueBytesMax) {}

    DatagramQueue& queue() { return queue_; }
    const DatagramQueue& queue() const { return queue_; }
    bool Takes(size_t ipBytes) const;

    // Fills as much of the field as what waits needs; answers how much.
    size_t Fill(std::span<uint8_t> field, LayerTotals& totals);

 private:
    LabelRule rule_;
    bool isLite_;
    DatagramQueue queue_;
    // The datagram at the queue's front, while a part of it has been sent.
    bool isUnderWay_ = false;
    size_t sent_ = 0;
    uint32_t crc_ = 0;
    uint8_t fragment_ = 0;
    std::optional<MacAddress> label_;  // of the packet before, in this field

    size_t WriteWhole(std::span<uint8_t> room, LayerTotals& totals);
    size_t WriteFirst(std::span<uint8_t> room, LayerTotals& totals);
    size_t WriteLater(std::span<uint8_t> room, LayerTotals& totals);
    unsigned ChooseLabel(const MacAddress& mac) const;
    size_t PutTypeAndLabel(uint8_t* at, Bytes datagram, unsigned labelType);
};

}  // namespace streamverse::link
