#include "link/src/packetizer.hpp"

#include <algorithm>
#include <cstring>

namespace streamverse::link {

namespace {

constexpr size_t kHeaderBytes = 4;
constexpr size_t kPayloadBytes = kTsPacketBytes - kHeaderBytes;
constexpr uint8_t kStuffing = 0xFF;
constexpr size_t kMpeIpBytesMax = 4096 - 16;
constexpr size_t kUleIpBytesMax = 0x7FFF - 10;

}  // namespace

bool Packetizer::Takes(size_t ipBytes) const {
    return ipBytes <= (encapsulation_ == Encapsulation::kMpe ? kMpeIpBytesMax : kUleIpBytesMax);
}

bool Packetizer::Begin(LayerTotals& totals) {
    if (queue_.empty()) {
        return false;
    }
    const Bytes datagram = queue_.Front();
    if (encapsulation_ == Encapsulation::kMpe) {
        MakeMpeSection(datagram, unit_);
    } else {
        MakeSndu(datagram, unit_);
    }
    isUnderWay_ = true;
    sent_ = 0;
    ++totals.datagrams;
    totals.ipBytes += datagram.size();
    totals.encapsulatedBytes += unit_.bytes();
    return true;
}

size_t Packetizer::Fill(uint8_t* at, size_t room, LayerTotals& totals) {
    // A SNDU's length may not be cut (RFC 4326, 6); a section may begin with its last byte.
    const size_t least = encapsulation_ == Encapsulation::kMpe ? 1 : 2;
    size_t filled = 0;
    while (isUnderWay_ || (room - filled >= least && Begin(totals))) {
        const size_t now = std::min(room - filled, unit_.bytes() - sent_);
        unit_.Copy(sent_, now, at + filled);
        sent_ += now;
        filled += now;
        if (sent_ < unit_.bytes()) {
            break;
        }
        Finish();
    }
    return filled;
}

void Packetizer::Finish() {
    isUnderWay_ = false;
    queue_.Pop();
}

void Packetizer::Write(uint8_t* packet, LayerTotals& totals) {
    const size_t left = isUnderWay_ ? unit_.bytes() - sent_ : 0;
    if (left >= kPayloadBytes) {
        WriteMiddle(packet);
        return;
    }
    // With a pointer field there is one byte less; a unit that would not begin for want of it needs none.
    const size_t least = encapsulation_ == Encapsulation::kMpe ? 1 : 2;
    const bool isAnotherWaiting = queue_.count() > (isUnderWay_ ? 1 : 0);
    const bool begins = left + least <= kPayloadBytes - 1 && isAnotherWaiting;
    const size_t from = WritePacketHeader(packet, pid_, begins, continuity_);
    const size_t room = kTsPacketBytes - from;
    size_t filled = 0;
    if (begins) {
        packet[from - 1] = static_cast<uint8_t>(left);
        filled = Fill(packet + from, room, totals);
    } else {
        filled = left;
        unit_.Copy(sent_, filled, packet + from);
        Finish();
    }
    std::memset(packet + from + filled, kStuffing, room - filled);
    totals.stuffingBytes += room - filled;
}

// Nearly all packets: one that is full of the datagram, of which nothing begins or ends here.
void Packetizer::WriteMiddle(uint8_t* packet) {
    WritePacketHeader(packet, pid_, false, continuity_);
    uint8_t* const to = packet + kHeaderBytes;
    if (sent_ >= unit_.headBytes && sent_ - unit_.headBytes + kPayloadBytes <= unit_.body.size()) {
        std::memcpy(to, unit_.body.data() + (sent_ - unit_.headBytes), kPayloadBytes);
    } else {
        unit_.Copy(sent_, kPayloadBytes, to);
    }
    sent_ += kPayloadBytes;
    if (sent_ == unit_.bytes()) {
        Finish();
    }
}

}  // namespace streamverse::link
