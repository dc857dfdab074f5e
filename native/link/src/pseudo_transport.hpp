// BBFRAMEs in the pseudo transport stream that tuners' bridges and demodulators make of them: private
// sections of table 0x80, one a packet, on PID 270 (Digital Devices) or 280 (STiD135).
#pragma once

#include <vector>

#include "link/src/bb_frame.hpp"
#include "link/src/frame_reader.hpp"

namespace streamverse::link {

class PseudoTransportReader {
 public:
    // Answers whether the packet is one of these; it is read then.
    bool Read(std::span<const uint8_t, kTsPacketBytes> packet, ReceiveContext& context, FrameReader& frames);

 private:
    std::vector<uint8_t> frame_;
    size_t need_ = 0;  // of the frame under way; 0: none
    uint8_t number_ = 0;
    bool isKnown_ = false;

    void Begin(Bytes content, ReceiveContext& context, FrameReader& frames);
    void Append(Bytes content, FrameReader& frames);
};

}  // namespace streamverse::link
