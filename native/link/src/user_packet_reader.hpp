// Transport stream packets out of the data fields of one input stream's BBFRAMEs (EN 302 307-1, 5.1).
#pragma once

#include <vector>

#include "link/src/bb_frame.hpp"
#include "link/src/transport_demux.hpp"

namespace streamverse::link {

class UserPacketReader {
 public:
    // One data field of a header with a kind of kTransport.
    void Read(const BbHeader& header, Bytes field, const Origin& origin, ReceiveContext& context,
              TransportDemux& demux);

 private:
    std::vector<uint8_t> partial_;  // of the packet that goes on in the next frame
    bool isStarted_ = false;        // a packet's beginning is known
    bool hasCrc_ = false;
    uint8_t crc_ = 0;  // of the packet before

    void ReadPacket(Bytes packet, const Origin& origin, ReceiveContext& context, TransportDemux& demux);
};

}  // namespace streamverse::link
