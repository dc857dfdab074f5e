#include "flute/src/fdt_reception.hpp"

#include <algorithm>
#include <cstring>

#include "flute/src/inflate_body.hpp"

namespace streamverse::flute {
namespace {

// An instance of one byte costs more than a byte.
constexpr uint64_t kInstanceOverheadBytes = 1024;

}  // namespace

FdtReception::~FdtReception() {
    for (const Known& known : known_) {
        context_.fdtBytes.Give(known.body.size() + kInstanceOverheadBytes);
    }
    for (const auto& incoming : incoming_) {
        context_.fdtBytes.Give(incoming->information.transferLength + kInstanceOverheadBytes);
    }
}

void FdtReception::OnTimer(const Now& now) {
    std::erase_if(incoming_, [&](const std::unique_ptr<Incoming>& each) {
        if (now.monotonicMs - each->lastPacketMs < context_.settings.limits.fdtIdleMs) {
            return false;
        }
        context_.fdtBytes.Give(each->information.transferLength + kInstanceOverheadBytes);
        return true;
    });
}

std::optional<FdtBody> FdtReception::OnPacket(const LctPacket& packet, const Now& now) {
    const auto information = ParseFti(packet.codepoint, packet.fti);
    if (!packet.fdt || !information || packet.payload.size() <= kPayloadIdBytes ||
        information->transferLength == 0 ||
        information->transferLength > context_.settings.limits.fdtBytesMax) {
        ++context_.stats.malformedPackets;
        return std::nullopt;
    }
    const uint32_t instanceId = packet.fdt->instanceId;
    Incoming* incoming = FindIncoming(instanceId, *information);
    if (incoming == nullptr) {
        const auto known = std::find_if(known_.begin(), known_.end(),
                                        [&](const Known& each) { return each.instanceId == instanceId; });
        if (known != known_.end() && IsRepetition(*known, *information, packet)) {
            return std::nullopt;
        }
        incoming = StartIncoming(instanceId, *information);
        if (incoming == nullptr) {
            ++context_.stats.fdtRefused;
            return std::nullopt;
        }
    }
    incoming->lastPacketMs = now.monotonicMs;
    const PayloadId id = ReadPayloadId(packet.codepoint, packet.payload);
    Bytes rest = packet.payload.subspan(kPayloadIdBytes);
    for (uint32_t symbol = id.symbol; !rest.empty(); ++symbol) {
        const size_t size = std::min<size_t>(rest.size(), information->symbolBytes);
        const Taken taken = incoming->assembly.OnSymbol(id.block, symbol, rest.first(size));
        if (taken == Taken::kMalformed || taken == Taken::kFailed) {
            ++context_.stats.malformedPackets;
            break;
        }
        rest = rest.subspan(size);
    }
    if (!incoming->assembly.Flush() || !incoming->assembly.complete()) {
        return std::nullopt;
    }
    return Finish(*incoming, packet);
}

// RFC 3926 section 3.4.1 forbids changing a body under its id, and senders do it: a differing symbol starts
// anew.
bool FdtReception::IsRepetition(const Known& known, const TransmissionInformation& information,
                                const LctPacket& packet) const {
    if (known.information != information || known.contentEncoding != packet.contentEncoding) {
        return false;
    }
    const PayloadId id = ReadPayloadId(packet.codepoint, packet.payload);
    if (id.block >= known.partition.blocks() || id.symbol >= known.partition.BlockSymbols(id.block)) {
        return true;  // Repair symbols, or nonsense.
    }
    const uint64_t offset = (known.partition.FirstSymbol(id.block) + id.symbol) * information.symbolBytes;
    const Bytes symbols = packet.payload.subspan(kPayloadIdBytes);
    const size_t size = std::min<uint64_t>(symbols.size(), known.body.size() - offset);
    return std::memcmp(symbols.data(), known.body.data() + offset, size) == 0;
}

FdtReception::Incoming* FdtReception::FindIncoming(uint32_t instanceId,
                                                   const TransmissionInformation& information) {
    for (const auto& incoming : incoming_) {
        if (incoming->instanceId == instanceId && incoming->information == information) {
            return incoming.get();
        }
    }
    return nullptr;
}

bool FdtReception::MakeRoom(uint64_t bytes) {
    while (!context_.fdtBytes.Take(bytes)) {
        if (!incoming_.empty()) {
            EraseIncoming(incoming_.front()->instanceId);
        } else if (!known_.empty()) {
            Forget(known_.front().instanceId);
        } else {
            return false;
        }
    }
    return true;
}

FdtReception::Incoming* FdtReception::StartIncoming(uint32_t instanceId,
                                                    const TransmissionInformation& information) {
    const auto partition = Partition::Of(information);
    if (!partition) {
        return nullptr;
    }
    EraseIncoming(instanceId);
    while (incoming_.size() >= context_.settings.limits.fdtAssembliesMax) {
        EraseIncoming(incoming_.front()->instanceId);
    }
    if (!MakeRoom(information.transferLength + kInstanceOverheadBytes)) {
        return nullptr;
    }
    incoming_.push_back(std::make_unique<Incoming>(context_.workshop, instanceId, information, *partition));
    return incoming_.back().get();
}

void FdtReception::EraseIncoming(uint32_t instanceId) {
    std::erase_if(incoming_, [&](const std::unique_ptr<Incoming>& each) {
        if (each->instanceId != instanceId) {
            return false;
        }
        context_.fdtBytes.Give(each->information.transferLength + kInstanceOverheadBytes);
        return true;
    });
}

void FdtReception::Forget(uint32_t instanceId) {
    std::erase_if(known_, [&](const Known& each) {
        if (each.instanceId != instanceId) {
            return false;
        }
        context_.fdtBytes.Give(each.body.size() + kInstanceOverheadBytes);
        return true;
    });
}

std::optional<FdtBody> FdtReception::Finish(Incoming& incoming, const LctPacket& packet) {
    const uint32_t instanceId = incoming.instanceId;
    Known known{instanceId, incoming.information, incoming.partition, packet.contentEncoding, {}};
    known.body.assign(incoming.store.bytes().begin(), incoming.store.bytes().end());
    EraseIncoming(instanceId);
    const auto old = std::find_if(known_.begin(), known_.end(),
                                  [&](const Known& each) { return each.instanceId == instanceId; });
    if (old != known_.end()) {
        const bool same = old->body == known.body && old->contentEncoding == known.contentEncoding;
        Forget(instanceId);
        context_.stats.fdtChanged += same ? 0 : 1;
    }
    while (known_.size() >= context_.settings.limits.fdtInstancesMax) {
        Forget(known_.front().instanceId);
    }
    auto xml = InflateBody(packet.contentEncoding, known.body, context_.settings.limits.fdtBytesMax);
    if (context_.fdtBytes.Take(known.body.size() + kInstanceOverheadBytes)) {
        known_.push_back(std::move(known));
    }
    if (!xml) {
        ++context_.stats.fdtRefused;
        return std::nullopt;
    }
    return FdtBody{instanceId, std::move(*xml), packet.senderTimeMs};
}

}  // namespace streamverse::flute
