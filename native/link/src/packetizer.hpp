// Sections or SNDUs cut into the packets of one PID, each beginning where the one before it ends.
#pragma once

#include <array>
#include <cstdint>

#include "link/src/bb_frame.hpp"
#include "link/src/datagram_queue.hpp"
#include "link/src/payload_unit.hpp"

namespace streamverse::link {

enum class Encapsulation : uint8_t { kMpe, kUle };

// Bytes of each layer, since the beginning.
struct LayerTotals {
    uint64_t datagrams = 0;
    uint64_t ipBytes = 0;
    uint64_t encapsulatedBytes = 0;
    uint64_t signallingBytes = 0;
    uint64_t stuffingBytes = 0;
    uint64_t units = 0;
    uint64_t carrierBytes = 0;
};

// Writes header and, with `begins`, the pointer field's place; answers where the payload begins.
size_t WritePacketHeader(uint8_t* packet, uint16_t pid, bool begins, uint8_t& continuity);

class Packetizer {
 public:
    Packetizer(uint16_t pid, Encapsulation encapsulation, size_t queueBytesMax)
        : pid_(pid), encapsulation_(encapsulation), queue_(queueBytesMax) {}

    DatagramQueue& queue() { return queue_; }
    bool hasPacket() const { return isUnderWay_ || !queue_.empty(); }

    // The next packet; only while there is one.
    void Write(uint8_t* packet, LayerTotals& totals);

    // Whether this encapsulation can carry it.
    bool Takes(size_t ipBytes) const;

 private:
    uint16_t pid_;
    Encapsulation encapsulation_;
    DatagramQueue queue_;
    PayloadUnit unit_;
    bool isUnderWay_ = false;
    size_t sent_ = 0;  // of the unit
    uint8_t continuity_ = 0;

    bool Begin(LayerTotals& totals);
    size_t Fill(uint8_t* at, size_t room, LayerTotals& totals);
};

}  // namespace streamverse::link
