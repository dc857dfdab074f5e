// IP datagrams that wait for JavaScript, with where and when they were found.
#pragma once

#include <vector>

#include "link/src/damage.hpp"

namespace streamverse::link {

struct DatagramBatch {
    std::vector<uint8_t> bytes;  // one behind the other
    std::vector<uint32_t> lengths;
    std::vector<uint16_t> pids;
    std::vector<uint16_t> inputStreams;
    std::vector<double> positions;
    std::vector<double> timesMs;

    void Add(const Origin& origin, Bytes datagram, uint64_t position, double timeMs) {
        bytes.insert(bytes.end(), datagram.begin(), datagram.end());
        lengths.push_back(static_cast<uint32_t>(datagram.size()));
        pids.push_back(origin.pid);
        inputStreams.push_back(origin.inputStream);
        positions.push_back(static_cast<double>(position));
        timesMs.push_back(timeMs);
    }
};

}  // namespace streamverse::link
