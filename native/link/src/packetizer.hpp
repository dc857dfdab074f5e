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

// Leaves room for a pointer field with `begins`; answers where the payload begins.
inline size_t WritePacketHeader(uint8_t* packet, uint16_t pid, bool begins, uint8_t& continuity) {
    constexpr size_t kHeaderBytes = 4;
    packet[0] = kTsSync;
    packet[1] = static_cast<uint8_t>((begins ? 0x40 : 0) | pid >> 8);
    packet[2] = static_cast<uint8_t>(pid);
    packet[3] = static_cast<uint8_t>(0x10 | continuity);
    continuity = (continuity + 1) & 15;
    return begins ? kHeaderBytes + 1 : kHeaderBytes;
}

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
    void WriteMiddle(uint8_t* packet);
    void Finish();
};

}  // namespace streamverse::link
