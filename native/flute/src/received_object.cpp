#include "flute/src/received_object.hpp"

#include <algorithm>

namespace streamverse::flute {
namespace {

// Hashing follows reception in steps of this size.
constexpr uint64_t kHashStepBytes = uint64_t{4} << 20;

}  // namespace

ReceivedObject::ReceivedObject(ReceiveContext& context, ObjectOwner& owner, const SessionName& session,
                               std::shared_ptr<const FdtFile> file, int64_t expiresMs)
    : context_(context),
      owner_(owner),
      session_(session),
      file_(std::move(file)),
      id_(context.nextId++),
      expiresMs_(expiresMs) {
    context_.objects.emplace(id_, this);
}

ReceivedObject::~ReceivedObject() {
    if (!finished() && store_) {
        store_->Remove();
    }
    Release();
    if (dirty_) {
        std::erase(context_.dirty, this);
    }
    context_.objects.erase(id_);
    if (phase_ != Phase::kComplete) {
        context_.views.Remove(id_);
    }
}

std::string ReceivedObject::path() const {
    return context_.settings.directory + "/" + std::to_string(id_) + ".part";
}

// The FDT's own attributes win over EXT_FTI for objects: some senders write nonsense into the latter.
bool ReceivedObject::Resolve(const LctPacket* packet) {
    if (partition_) {
        return true;
    }
    const FdtTransmission& given = file_->transmission;
    TransmissionInformation information;
    const std::optional<uint64_t> codepoint =
        packet ? std::optional<uint64_t>(packet->codepoint) : std::nullopt;
    const auto encodingId = given.encodingId ? given.encodingId : codepoint;
    if (!encodingId) {
        return false;
    }
    if (*encodingId != kFecNoCode && *encodingId != kFecReedSolomon) {
        GiveUp("NATIVE_FLUTE_FEC_UNSUPPORTED",
               "FEC encoding id " + std::to_string(*encodingId) + " is not ours");
        return false;
    }
    encodingId_ = static_cast<uint8_t>(*encodingId);
    std::optional<TransmissionInformation> carried;
    if (packet && packet->codepoint == encodingId_) {
        carried = ParseFti(encodingId_, packet->fti);
    }
    const bool described = given.blockSymbolsMax && given.symbolBytes;
    if ((!described || !file_->transferLength) && !carried) {
        return false;
    }
    information.encodingId = encodingId_;
    information.transferLength = file_->transferLength ? *file_->transferLength : carried->transferLength;
    if (described) {
        information.symbolBytes = static_cast<uint32_t>(std::min<uint64_t>(*given.symbolBytes, UINT32_MAX));
        information.blockSymbolsMax =
            static_cast<uint32_t>(std::min<uint64_t>(*given.blockSymbolsMax, UINT32_MAX));
    } else {
        information.symbolBytes = carried->symbolBytes;
        information.blockSymbolsMax = carried->blockSymbolsMax;
    }
    partition_ = Partition::Of(information);
    if (!partition_) {
        GiveUp("NATIVE_FLUTE_FEC_INVALID", "the FEC transmission information makes no sense");
    }
    return partition_.has_value();
}

void ReceivedObject::Announce() {
    if (announced_ || finished()) {
        return;
    }
    const auto length = file_->transferLength ? file_->transferLength
                        : partition_          ? std::optional(partition_->transferLength())
                                              : std::nullopt;
    if (!length) {
        return;  // Told with the first packet that says how long it is.
    }
    announced_ = true;
    context_.events.Push(AppearedEvent{id_, session_, file_, *length, expiresMs_, path()});
    context_.views.Set(id_, {*length, 1, false, nullptr});
    if (*length > context_.settings.limits.objectBytesMax) {
        return GiveUp("NATIVE_FLUTE_TOO_LARGE",
                      std::to_string(*length) + " bytes are more than objectBytesMax");
    }
    if (*length == 0) {
        // No packet will ever come for it (RFC 5052 section 9.1 makes no block of no bytes).
        store_ = std::make_unique<FileStore>(context_.files, path());
        if (const int failure = store_->Create(0); failure != 0) {
            return GiveUpForFile(failure);
        }
        NewHashJob();
        return Verify();
    }
    static_cast<void>(Resolve(nullptr));
}

bool ReceivedObject::Open() {
    if (phase_ == Phase::kIncoming) {
        return true;
    }
    const uint64_t length = partition_->transferLength();
    const uint64_t mapBytes = partition_->symbols() / 8 + 64;
    if (context_.events.size() > context_.settings.limits.eventsMax || !context_.openObjects.Take(1)) {
        return false;
    }
    if (!context_.openBytes.Take(length)) {
        context_.openObjects.Give(1);
        return false;
    }
    if (!context_.mapBytes.Take(mapBytes)) {
        context_.openObjects.Give(1);
        context_.openBytes.Give(length);
        return false;
    }
    budgeted_ = true;
    store_ = std::make_unique<FileStore>(context_.files, path());
    if (const int failure = store_->Create(length); failure != 0) {
        GiveUpForFile(failure);
        return false;
    }
    map_ = std::make_shared<SymbolMap>(partition_->symbols());
    assembly_ = std::make_unique<Assembly>(encodingId_, *partition_, *store_, *map_, context_.workshop,
                                           context_.settings.limits.partialRangesMax);
    context_.views.Set(id_, {length, partition_->symbolBytes(), false, map_});
    NewHashJob();
    phase_ = Phase::kIncoming;
    return true;
}

void ReceivedObject::OnPacket(const LctPacket& packet, const Now& now) {
    if (phase_ != Phase::kWaiting && phase_ != Phase::kIncoming) {
        ++context_.stats.lateSymbols;
        return;
    }
    if (!Resolve(&packet)) {
        context_.stats.unsupportedPackets += finished() ? 0 : 1;
        return;
    }
    Announce();
    if (finished() || phase_ == Phase::kVerifying) {
        return;
    }
    if (!packet.payload.empty()) {
        if (packet.codepoint != encodingId_ || packet.payload.size() <= kPayloadIdBytes) {
            ++context_.stats.malformedPackets;
            return;
        }
        if (!Open()) {
            ++context_.stats.refusedSymbols;
            return;
        }
        Activate(now);
        TakeSymbols(packet);
    }
    if (packet.closeObject) {
        MarkEnd();
    }
}

// A packet carries one symbol, or several neighbours of one block (RFC 5775 section 4.3).
void ReceivedObject::TakeSymbols(const LctPacket& packet) {
    const PayloadId first = ReadPayloadId(encodingId_, packet.payload);
    Bytes rest = packet.payload.subspan(kPayloadIdBytes);
    MarkDirty();
    for (uint32_t symbol = first.symbol; !rest.empty(); ++symbol) {
        const size_t size = std::min<size_t>(rest.size(), partition_->symbolBytes());
        const Taken taken = assembly_->OnSymbol(first.block, symbol, rest.first(size));
        if (taken == Taken::kFailed) {
            return GiveUpForFile(assembly_->failure());
        }
        if (taken == Taken::kMalformed) {
            ++context_.stats.malformedPackets;
            return;
        }
        CountTaken(taken, partition_->FirstSymbol(first.block) + symbol);
        rest = rest.subspan(size);
    }
}

// A transmission that begins anew shows by known symbols of the object's start after those of its end. That
// tells the moment to repair when the flag that closes the object was lost.
void ReceivedObject::CountTaken(Taken taken, uint64_t position) {
    if (taken == Taken::kDuplicate) {
        ++context_.stats.lateSymbols;
        ++passDuplicates_;
        const uint64_t total = partition_->symbols();
        const uint64_t margin = total / 8;
        if (position <= margin && passHigh_ + margin + 1 >= total &&
            passDuplicates_ >= (margin >= 3 ? 3 : 1)) {
            passHigh_ = 0;
            passDuplicates_ = 0;
            context_.events.Push(EndedEvent{id_, MissingBytes()});
        }
    }
    if (taken != Taken::kRepair) {
        passHigh_ = std::max(passHigh_, position);
    }
}

void ReceivedObject::OnBytes(uint64_t offset, Bytes bytes, const Now& now) {
    if ((phase_ != Phase::kWaiting && phase_ != Phase::kIncoming) || !Resolve(nullptr)) {
        return;
    }
    if (!Open()) {
        context_.stats.refusedSymbols += finished() ? 0 : 1;
        return;
    }
    if (!assembly_->OnBytes(offset, bytes)) {
        return GiveUpForFile(assembly_->failure());
    }
    MarkDirty();
    Flush(now);
}

void ReceivedObject::Activate(const Now& now) {
    lastPacketMs_ = now.monotonicMs;
    if (context_.active.insert(this).second) {
        passHigh_ = 0;
        passDuplicates_ = 0;
    }
}

void ReceivedObject::MarkDirty() {
    if (!dirty_) {
        dirty_ = true;
        context_.dirty.push_back(this);
    }
}

void ReceivedObject::MarkEnd() {
    if (phase_ == Phase::kIncoming) {
        endPending_ = true;
        MarkDirty();
    }
}

void ReceivedObject::Flush(const Now& now) {
    if (phase_ != Phase::kIncoming) {
        return;
    }
    if (!assembly_->Flush()) {
        return GiveUpForFile(assembly_->failure());
    }
    context_.stats.fecRecoveredBytes += assembly_->fecRecoveredBytes() - countedRecoveredBytes_;
    countedRecoveredBytes_ = assembly_->fecRecoveredBytes();
    if (assembly_->complete()) {
        return Verify();
    }
    const uint64_t contiguous = assembly_->ContiguousBytes();
    if (contiguous >= hashAskedBytes_ + kHashStepBytes) {
        hashAskedBytes_ = contiguous;
        hash_->Advance(contiguous);
        context_.verify(hash_);
    }
    if (now.monotonicMs - lastProgressMs_ >= context_.settings.progressIntervalMs) {
        lastProgressMs_ = now.monotonicMs;
        if (assembly_->receivedBytes() != lastProgressBytes_) {
            lastProgressBytes_ = assembly_->receivedBytes();
            context_.events.Push(ProgressEvent{id_, lastProgressBytes_});
        }
    }
    if (endPending_) {
        EndTransmission();
    }
}

}  // namespace streamverse::flute
