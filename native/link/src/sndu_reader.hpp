// SNDUs put together from the payloads of one PID's packets (RFC 4326, 7).
#pragma once

#include <vector>

#include "link/src/damage.hpp"

namespace streamverse::link {

class SnduReader {
 public:
    void Read(Bytes payload, bool begins, const Origin& origin, ReceiveContext& context);

    // Packets are missing: what is under way is lost.
    void Drop(const Origin& origin, ReceiveContext& context);

 private:
    std::vector<uint8_t> bytes_;
    size_t need_ = 0;  // of the SNDU under way; 0: none

    size_t Continue(Bytes payload, const Origin& origin, ReceiveContext& context);
    void ReadNew(Bytes payload, const Origin& origin, ReceiveContext& context);
    static void Finish(Bytes sndu, const Origin& origin, ReceiveContext& context);
};

}  // namespace streamverse::link
