#include "link/src/datagram_emitter.hpp"

#include <cstring>

#include "link/src/ip_datagram.hpp"

namespace streamverse::link {

namespace {

constexpr size_t kDestinationsMax = 1024;

}  // namespace

size_t DatagramEmitter::IndexOf(const packet::SocketAddress& destination) {
    // Mostly the one before.
    for (size_t back = destinations_.size(); back > 0; --back) {
        if (destinations_[back - 1] == destination) {
            return back - 1;
        }
    }
    destinations_.push_back(destination);
    return destinations_.size() - 1;
}

void DatagramEmitter::Add(Bytes datagram) {
    const auto udp = UdpOf(datagram);
    if (!udp.has_value() || !udp->isMulticast) {
        ++counters_.passedOver;
        return;
    }
    const packet::SocketAddress destination{udp->destination, udp->destinationLength};
    parts_.push_back({IndexOf(destination), payloads_.size(), udp->payload.size()});
    payloads_.insert(payloads_.end(), udp->payload.begin(), udp->payload.end());
}

void DatagramEmitter::Flush(const std::atomic<bool>& stopping) {
    if (parts_.empty()) {
        return;
    }
    runs_.clear();
    size_t last = destinations_.size();
    for (const Part& part : parts_) {
        packet::Run* const run = runs_.empty() || last != part.destination ? nullptr : &runs_.back();
        // Equal ones go together; a shorter one ends its run.
        if (run != nullptr && part.bytes > 0 && part.bytes <= run->segmentBytes &&
            run->length % run->segmentBytes == 0) {
            run->length += part.bytes;
        } else {
            runs_.push_back(
                {&destinations_[part.destination], payloads_.data() + part.offset, part.bytes, part.bytes});
        }
        last = part.destination;
    }
    const uint64_t before = sender_.counters().datagrams;
    try {
        sender_.Send(runs_, stopping);
    } catch (const packet::SystemError&) {
        // A group that no route leads to must not end the reception of the others.
    }
    const uint64_t sent = sender_.counters().datagrams - before;
    counters_.emitted += sent;
    counters_.failed += parts_.size() - sent;
    parts_.clear();
    payloads_.clear();
    if (destinations_.size() > kDestinationsMax) {
        destinations_.clear();
    }
}

}  // namespace streamverse::link
