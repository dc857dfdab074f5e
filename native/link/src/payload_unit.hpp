// A section or SNDU around an IP datagram that stays where it is: a header before it and a CRC-32 behind it.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>

#include "link/src/byte_order.hpp"

namespace streamverse::link {

struct PayloadUnit {
    std::array<uint8_t, 24> head;
    size_t headBytes = 0;
    Bytes body;
    std::array<uint8_t, 4> tail;

    size_t bytes() const { return headBytes + body.size() + tail.size(); }

    // `count` bytes from `offset` on, which are there.
    void Copy(size_t offset, size_t count, uint8_t* to) const {
        for (const Bytes part : {Bytes(head.data(), headBytes), body, Bytes(tail)}) {
            if (offset >= part.size()) {
                offset -= part.size();
                continue;
            }
            const size_t now = std::min(count, part.size() - offset);
            std::memcpy(to, part.data() + offset, now);
            to += now;
            count -= now;
            offset = 0;
            if (count == 0) {
                return;
            }
        }
    }
};

// An MPE section (EN 301 192, 7) of one IP datagram; false when it is too long for one.
bool MakeMpeSection(Bytes datagram, PayloadUnit& unit);

// A SNDU (RFC 4326, 4) with the destination's MAC address; false when it is too long for one.
bool MakeSndu(Bytes datagram, PayloadUnit& unit);

}  // namespace streamverse::link
