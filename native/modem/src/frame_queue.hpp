// What waits to be modulated: BBFRAMEs of several input streams, each of its own MODCOD.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "link/src/bb_frame.hpp"

namespace streamverse::modem {

struct InputStream {
    uint16_t pls;             // of frames that say no other
    bool isTransport = true;  // else BBFRAMEs
    link::BbHeader header;    // of a transport stream's frames
    bool alternatesRollOff = false;
};

struct QueuedFrame {
    uint16_t pls;
    std::vector<uint8_t> bytes;
};

// Not guarded: its owner holds a lock.
class FrameQueue {
 public:
    // Throws std::invalid_argument for streams without a MODCOD.
    FrameQueue(std::vector<InputStream> streams, size_t bytesMax);

    // Any number of bytes of a transport stream; whole BBFRAMEs of `pls` otherwise. False, and nothing is
    // taken, when they do not fit. Throws std::invalid_argument for what is neither.
    bool Append(size_t stream, std::optional<uint16_t> pls, std::span<const uint8_t> bytes);

    // The next frame: the streams that have one take turns.
    std::optional<QueuedFrame> Take();

    size_t bytes() const { return bytes_; }
    bool isEmpty() const { return bytes_ == 0; }

 private:
    struct Lane {
        InputStream options;
        std::optional<link::TransportSlicer> slicer;
        std::vector<uint8_t> rest;  // a part of a packet
        std::deque<QueuedFrame> frames;
    };

    size_t bytesMax_;
    size_t bytes_ = 0;
    size_t turn_ = 0;
    std::vector<Lane> lanes_;

    void Slice(Lane& lane, std::span<const uint8_t> bytes);
    void Push(Lane& lane, uint16_t pls, size_t frameBytes, std::span<const uint8_t> frames);
};

}  // namespace streamverse::modem
