// BBFRAMEs to the readers of their input streams.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "link/src/bb_frame.hpp"
#include "link/src/gse_reader.hpp"
#include "link/src/transport_demux.hpp"
#include "link/src/user_packet_reader.hpp"

namespace streamverse::link {

// Those of transport streams, each of which has tables of its own.
inline constexpr size_t kTransportStreamsMax = 16;

struct InputStream {
    explicit InputStream(const BbHeader& first) : header(first) {}

    BbHeader header;      // of the last frame
    uint8_t rollOff = 0;  // of frames that do not say that they alternate
    bool alternatesRollOff = false;
    std::optional<uint8_t> pls;
    uint64_t frames = 0;
    uint64_t dataFieldBytes = 0;
    GseReader gse;
    UserPacketReader userPackets;
    std::unique_ptr<TransportDemux> transport;
};

class FrameReader {
 public:
    // Both outlive it.
    FrameReader(ReceiveContext& context, const Selection& selection)
        : context_(context), selection_(selection) {}

    // One frame: header, data field, and padding or nothing behind it.
    void Read(Bytes frame, std::optional<uint8_t> pls);

    // By ISI; kNowhere where there is but one.
    const std::map<uint16_t, std::unique_ptr<InputStream>>& streams() const { return streams_; }

 private:
    ReceiveContext& context_;
    const Selection& selection_;
    std::map<uint16_t, std::unique_ptr<InputStream>> streams_;
    size_t transports_ = 0;

    InputStream& StreamOf(uint16_t id, const BbHeader& header);
    void ReadField(InputStream& stream, Bytes field, const Origin& origin);
};

}  // namespace streamverse::link
