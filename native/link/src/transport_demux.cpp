#include "link/src/transport_demux.hpp"

#include <map>

namespace streamverse::link {

namespace {

constexpr size_t kHeaderBytes = 4;

}  // namespace

TransportDemux::TransportDemux(ReceiveContext& context, const Selection& selection, uint16_t inputStream)
    : context_(context),
      selection_(selection),
      inputStream_(inputStream),
      mpe_(context),
      readers_(kPids),
      packets_(kPids),
      continuities_(kPids, kNoContinuity) {
    Reconcile();
}

void TransportDemux::Read(std::span<const uint8_t, kTsPacketBytes> packet) {
    ++context_.totals.packets;
    const uint16_t pid = Read16(packet.data() + 1) & 0x1FFF;
    ++packets_[pid];
    if (pid == kNullPid) {
        ++context_.totals.nullPackets;
        return;
    }
    const Origin origin{pid, inputStream_};
    if ((packet[1] & 0x80) != 0) {
        context_.Report(origin, Damage::kTransportError);
        return;
    }
    Reader* const reader = readers_[pid].get();
    const Order order = OrderOf(packet, pid);
    if (order == Order::kBroken) {
        context_.Report(origin, Damage::kDiscontinuity);
        if (reader != nullptr) {
            reader->sections.Drop(origin, context_);
            reader->sndus.Drop(origin, context_);
        }
    }
    if (reader == nullptr || order == Order::kRepeated || (packet[3] & 0x10) == 0) {
        return;
    }
    if ((packet[3] & 0xC0) != 0) {
        context_.Report(origin, Damage::kScrambledPacket);
        return;
    }
    size_t from = kHeaderBytes;
    if ((packet[3] & 0x20) != 0) {
        from += 1 + static_cast<size_t>(packet[kHeaderBytes]);
    }
    if (from >= kTsPacketBytes) {
        context_.Report(origin, Damage::kAdaptationField);
        return;
    }
    ReadPayload(packet.subspan(from), (packet[1] & 0x40) != 0, origin, *reader);
}

// A packet may come twice with the same counter; discontinuity_indicator allows any other.
TransportDemux::Order TransportDemux::OrderOf(std::span<const uint8_t, kTsPacketBytes> packet, uint16_t pid) {
    const uint8_t counter = packet[3] & 15;
    const bool hasPayload = (packet[3] & 0x10) != 0;
    const bool isAnnounced =
        (packet[3] & 0x20) != 0 && packet[kHeaderBytes] > 0 && (packet[kHeaderBytes + 1] & 0x80) != 0;
    const uint8_t before = continuities_[pid];
    if (!hasPayload) {
        return Order::kNext;
    }
    continuities_[pid] = counter;
    if (before == kNoContinuity || counter == ((before + 1) & 15) || isAnnounced) {
        return Order::kNext;
    }
    return counter == before ? Order::kRepeated : Order::kBroken;
}

void TransportDemux::ReadPayload(Bytes payload, bool begins, const Origin& origin, Reader& reader) {
    if (reader.kind == Kind::kUle) {
        reader.sndus.Read(payload, begins, origin, context_);
        return;
    }
    SectionListener& listener = reader.kind == Kind::kMpe ? static_cast<SectionListener&>(mpe_) : *this;
    reader.sections.Read(payload, begins, origin, context_, listener);
    // Not before: the reader that has just spoken may be one of those that go.
    if (isChanged_) {
        isChanged_ = false;
        Reconcile();
    }
}

void TransportDemux::OnSection(const Origin& origin, Bytes section) {
    isChanged_ = programs_.OnSection(origin, section, context_) || isChanged_;
}

std::optional<Encapsulation> TransportDemux::EncapsulationOf(uint16_t pid) const {
    const Reader* const reader = pid < kPids ? readers_[pid].get() : nullptr;
    if (reader == nullptr || reader->kind == Kind::kTables) {
        return std::nullopt;
    }
    return reader->kind == Kind::kMpe ? Encapsulation::kMpe : Encapsulation::kUle;
}

// Makes the readers that tables and selection ask for; earlier entries have precedence.
void TransportDemux::Reconcile() {
    std::map<uint16_t, Kind> wanted;
    for (const uint16_t pid : {kPatPid, kNitPid, kSdtPid, kTdtPid}) {
        wanted.emplace(pid, Kind::kTables);
    }
    for (const Selection::Pid& each : selection_.pids) {
        wanted.emplace(each.pid, each.encapsulation == Encapsulation::kMpe ? Kind::kMpe : Kind::kUle);
    }
    for (const auto& [serviceId, service] : programs_.services()) {
        wanted.emplace(service.pmtPid, Kind::kTables);
    }
    for (const auto& [serviceId, service] : programs_.services()) {
        if (selection_.serviceIds.has_value() && !selection_.serviceIds->contains(serviceId)) {
            continue;
        }
        for (const FoundStream& stream : service.streams) {
            const bool isMpe = stream.streamType == kMpeStreamType &&
                               stream.dataBroadcastId.value_or(kMpeDataBroadcastId) == kMpeDataBroadcastId;
            if (isMpe || stream.isUle) {
                wanted.emplace(stream.pid, stream.isUle ? Kind::kUle : Kind::kMpe);
            }
        }
    }
    wanted.erase(kNullPid);
    for (uint16_t pid = 0; pid < kPids; ++pid) {
        const auto found = wanted.find(pid);
        if (readers_[pid] != nullptr && (found == wanted.end() || found->second != readers_[pid]->kind)) {
            readers_[pid].reset();
            --readerCount_;
        }
    }
    for (const auto& [pid, kind] : wanted) {
        if (readers_[pid] != nullptr) {
            continue;
        }
        if (readerCount_ >= kReadersMax) {
            context_.Report({pid, inputStream_}, Damage::kTooManyPids);
            continue;
        }
        readers_[pid] = std::make_unique<Reader>();
        readers_[pid]->kind = kind;
        ++readerCount_;
    }
}

void TransportDemux::Drop() {
    for (uint16_t pid = 0; pid < kPids; ++pid) {
        continuities_[pid] = kNoContinuity;
        if (readers_[pid] != nullptr) {
            readers_[pid]->sections.Drop({pid, inputStream_}, context_);
            readers_[pid]->sndus.Drop({pid, inputStream_}, context_);
        }
    }
}

}  // namespace streamverse::link
