#include "link/src/transport_multiplex.hpp"

#include <algorithm>
#include <cstring>

namespace streamverse::link {

namespace {

// EN 300 468 and TR 101 211 ask for a PAT and PMT within 100 ms, SDT within 2 s, NIT within 10 s and TDT
// within 30 s; a bare dish finds its stream sooner with less.
constexpr uint64_t kPatMs = 90;
constexpr uint64_t kSdtMs = 500;
constexpr uint64_t kNitMs = 500;
constexpr uint64_t kTdtMs = 1000;
constexpr int64_t kMsNs = 1'000'000;

}  // namespace

TransportMultiplex::TransportMultiplex(const TransportStream& stream, Encapsulation encapsulation,
                                       const LinkRate& rate, size_t queueBytesMax, int64_t startUtcMs)
    : rate_(rate), startUtcMs_(startUtcMs) {
    CheckTransportStream(stream);
    tdtEveryPackets_ = PacketsIn(kTdtMs);
    tables_.push_back({MakePat(stream), PacketsIn(kPatMs)});
    for (const Service& service : stream.services) {
        tables_.push_back({MakePmt(service, encapsulation), PacketsIn(kPatMs)});
        serviceIds_.push_back(service.serviceId);
        packetizers_.push_back(std::make_unique<Packetizer>(service.pid, encapsulation, queueBytesMax));
    }
    tables_.push_back({MakeNit(stream), PacketsIn(kNitMs)});
    tables_.push_back({MakeSdt(stream, encapsulation), PacketsIn(kSdtMs)});
    for (const Repeated& repeated : tables_) {
        ContinuityOf(repeated.table.pid);
    }
    ContinuityOf(kTdtPid);
}

uint64_t TransportMultiplex::PacketsIn(uint64_t ms) const {
    return std::max<uint64_t>(1, rate_.UnitsIn(static_cast<int64_t>(ms) * kMsNs, kTsPacketBytes));
}

size_t TransportMultiplex::IndexOf(uint16_t serviceId) const {
    if (serviceId == 0) {
        return 0;
    }
    const auto found = std::find(serviceIds_.begin(), serviceIds_.end(), serviceId);
    return static_cast<size_t>(found - serviceIds_.begin());
}

bool TransportMultiplex::Takes(uint16_t serviceId, size_t ipBytes) const {
    const size_t index = IndexOf(serviceId);
    return index < packetizers_.size() && packetizers_[index]->Takes(ipBytes);
}

bool TransportMultiplex::Push(uint16_t serviceId, Bytes datagram) {
    return packetizers_[IndexOf(serviceId)]->queue().Push(datagram);
}

size_t TransportMultiplex::queuedBytes() const {
    size_t bytes = 0;
    for (const auto& packetizer : packetizers_) {
        bytes += packetizer->queue().bytes();
    }
    return bytes;
}

uint8_t& TransportMultiplex::ContinuityOf(uint16_t pid) {
    for (auto& [other, continuity] : continuities_) {
        if (other == pid) {
            return continuity;
        }
    }
    return continuities_.emplace_back(pid, uint8_t{0}).second;
}

bool TransportMultiplex::ChooseTable() {
    if (sectionSent_ < section_.size()) {
        return true;
    }
    if (packets_ < nextDue_) {
        return false;
    }
    nextDue_ = tdtDue_;
    for (Repeated& repeated : tables_) {
        if (packets_ >= repeated.due) {
            repeated.due = packets_ + repeated.everyPackets;
            Begin(repeated.table);
            return true;
        }
        nextDue_ = std::min(nextDue_, repeated.due);
    }
    if (packets_ < tdtDue_) {
        return false;
    }
    tdtDue_ = packets_ + tdtEveryPackets_;
    const int64_t utcMs = startUtcMs_ + rate_.NsOf(packets_, kTsPacketBytes) / kMsNs;
    Begin(MakeTdt(utcMs / 1000));
    return true;
}

void TransportMultiplex::Begin(const Table& table) {
    section_ = table.section;
    sectionPid_ = table.pid;
    sectionSent_ = 0;
    nextDue_ = 0;  // others may be due as well
}

void TransportMultiplex::WriteTablePacket(uint8_t* packet) {
    const bool begins = sectionSent_ == 0;
    const size_t from = WritePacketHeader(packet, sectionPid_, begins, ContinuityOf(sectionPid_));
    if (begins) {
        packet[from - 1] = 0;
    }
    const size_t now = std::min(kTsPacketBytes - from, section_.size() - sectionSent_);
    std::memcpy(packet + from, section_.data() + sectionSent_, now);
    std::memset(packet + from + now, 0xFF, kTsPacketBytes - from - now);
    sectionSent_ += now;
    totals_.signallingBytes += kTsPacketBytes;
}

Packetizer* TransportMultiplex::NextPacketizer() {
    for (size_t tried = 0; tried < packetizers_.size(); ++tried) {
        turn_ = turn_ + 1 < packetizers_.size() ? turn_ + 1 : 0;
        if (packetizers_[turn_]->hasPacket()) {
            return packetizers_[turn_].get();
        }
    }
    return nullptr;
}

void TransportMultiplex::WritePacket(uint8_t* packet) {
    if (ChooseTable()) {
        WriteTablePacket(packet);
    } else if (Packetizer* const next = NextPacketizer()) {
        next->Write(packet, totals_);
    } else {
        uint8_t continuity = 0;
        const size_t from = WritePacketHeader(packet, kNullPid, false, continuity);
        std::memset(packet + from, 0xFF, kTsPacketBytes - from);
        totals_.stuffingBytes += kTsPacketBytes;
    }
    ++packets_;
}

}  // namespace streamverse::link
