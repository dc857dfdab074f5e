#include "flute/src/send_job.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace streamverse::flute {
namespace {

constexpr uint32_t kUncodedSlotsMax =
    138;  // without FEC a block may be large; it is read in such parts (three offload sends of 1400)
constexpr uint64_t kBlocksMaxNoCode = uint64_t{1} << 16;
constexpr uint64_t kBlocksMaxReedSolomon = uint64_t{1} << 24;

int64_t WallClockNs() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

JobError Failed(const std::string& path, const std::string& what, int number) {
    return {"NATIVE_FLUTE_SOURCE",
            path + ": " + what + (number == 0 ? "" : std::string(": ") + std::strerror(number))};
}

}  // namespace

Transmission::Transmission(SendJob job, SendMemory& memory, fec::ReedSolomonCache& codes)
    : job_(std::move(job)), memory_(memory), codes_(codes) {
    if (job_.path.empty()) {
        job_.fields.transferLength = job_.bytes.size();
    } else {
        OpenFile();
    }
    if (job_.fields.transferLength == 0) {
        return;
    }
    const FecParameters& fec = job_.fields.fec;
    header_ = PacketHeader(job_.fields);
    stride_ = header_.length() + fec.symbolBytes;
    partition_ = Partition::Of({.encodingId = fec.encodingId,
                                .transferLength = job_.fields.transferLength,
                                .symbolBytes = fec.symbolBytes,
                                .blockSymbolsMax = fec.sourceBlockSymbolsMax});
    CheckGeometry();
    Count();
    const uint32_t slots = fec.encodingId == kFecReedSolomon
                               ? partition_->BlockSymbols(0) + RepairCount(0)
                               : std::min(kUncodedSlotsMax, partition_->BlockSymbols(0));
    if (memory_.packets.size() < slots * stride_) {
        memory_.packets.resize(slots * stride_);
    }
}

void Transmission::OpenFile() {
    file_ = packet::Descriptor(::open(job_.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat facts {};
    if (!file_.valid() || ::fstat(file_.get(), &facts) != 0) {
        throw Failed(job_.path, "cannot be opened", errno);
    }
    if (!S_ISREG(facts.st_mode)) {
        throw Failed(job_.path, "is no regular file", 0);
    }
    job_.fields.transferLength = static_cast<uint64_t>(facts.st_size);
    if (job_.sizeBytes && *job_.sizeBytes != job_.fields.transferLength) {
        throw JobError("NATIVE_FLUTE_SOURCE_CHANGED", job_.path + ": has another size than was announced");
    }
    ::posix_fadvise(file_.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
}

void Transmission::CheckGeometry() const {
    const uint64_t blocksMax =
        job_.fields.fec.encodingId == kFecReedSolomon ? kBlocksMaxReedSolomon : kBlocksMaxNoCode;
    if (!partition_ || partition_->blocks() > blocksMax) {
        throw JobError("NATIVE_FLUTE_GEOMETRY",
                       "the object has more source blocks than the FEC payload id can number: take larger "
                       "symbols or blocks");
    }
}

// Repair symbols of a block of k symbols, in proportion to those of the largest block.
uint32_t Transmission::RepairCount(uint64_t block) const {
    if (job_.fields.fec.encodingId != kFecReedSolomon) {
        return 0;
    }
    const uint32_t large = partition_->BlockSymbols(0);
    const uint32_t k = partition_->BlockSymbols(block);
    return (k * job_.fields.fec.repairSymbolsPerBlock + large - 1) / large;
}

void Transmission::Count() {
    // Blocks come in two sizes: those like the first, and those like the last.
    const uint64_t last = partition_->blocks() - 1;
    const uint32_t large = partition_->BlockSymbols(0);
    const uint32_t small = partition_->BlockSymbols(last);
    const uint64_t largeBlocks =
        large == small ? partition_->blocks() : partition_->symbols() - small * partition_->blocks();
    const uint64_t repairs =
        largeBlocks * RepairCount(0) + (partition_->blocks() - largeBlocks) * RepairCount(last);
    packetsTotal_ = partition_->symbols() + repairs;
    payloadBytesTotal_ = packetsTotal_ * header_.length() + job_.fields.transferLength +
                         repairs * static_cast<uint64_t>(job_.fields.fec.symbolBytes);
}

// Fills the slots with the next packets: a whole block where it is coded, else a part of one.
void Transmission::Load() {
    const uint32_t k = partition_->BlockSymbols(block_);
    const bool coded = job_.fields.fec.encodingId == kFecReedSolomon;
    const uint32_t count = coded ? k : std::min(kUncodedSlotsMax, k - symbol_);
    const uint32_t repairs = RepairCount(block_);
    const uint64_t symbolBytes = job_.fields.fec.symbolBytes;
    const uint64_t offset = (partition_->FirstSymbol(block_) + symbol_) * symbolBytes;
    const auto length =
        static_cast<size_t>(std::min<uint64_t>(count * symbolBytes, job_.fields.transferLength - offset));
    slots_ = count + repairs;
    next_ = 0;
    shortSlot_ = SIZE_MAX;
    for (uint32_t index = 0; index < slots_; ++index) {
        header_.Write(Slot(index), static_cast<uint32_t>(block_), symbol_ + index);
    }
    Read(offset, length, count);
    if (length < count * symbolBytes) {
        shortSlot_ = count - 1;
        shortBytes_ = header_.length() + length - (count - 1) * symbolBytes;
    }
    if (repairs > 0) {
        Code(count, repairs, length);
    }
    symbol_ += count;
    if (symbol_ == k) {
        symbol_ = 0;
        ++block_;
    }
    if (block_ == partition_->blocks()) {
        PacketHeader::SetCloseFlags(Slot(slots_ - 1), job_.closeSession, job_.closeObject);
    }
}

// Reads straight to where the packets are built, one symbol behind each header.
void Transmission::Read(uint64_t offset, size_t length, size_t slots) {
    const size_t symbolBytes = job_.fields.fec.symbolBytes;
    std::array<iovec, fec::kSymbolsMax + 1> vectors;
    size_t done = 0;
    while (done < length) {
        size_t count = 0;
        for (size_t at = done; at < length && count < slots; ++count) {
            const size_t inside = at % symbolBytes;
            const size_t size = std::min(symbolBytes - inside, length - at);
            vectors[count] = {Slot(at / symbolBytes) + header_.length() + inside, size};
            at += size;
        }
        if (!file_.valid()) {
            const uint8_t* from = job_.bytes.data() + offset;
            for (size_t index = 0; index < count; from += vectors[index].iov_len, ++index) {
                std::memcpy(vectors[index].iov_base, from, vectors[index].iov_len);
            }
            return;
        }
        const ssize_t got =
            ::preadv(file_.get(), vectors.data(), static_cast<int>(count), static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            throw Failed(job_.path, "cannot be read", errno);
        }
        if (got == 0) {
            throw JobError("NATIVE_FLUTE_SOURCE_CHANGED", job_.path + ": has shrunk while it was being sent");
        }
        done += static_cast<size_t>(got);
    }
}

void Transmission::Code(uint32_t sourceCount, uint32_t repairCount, size_t bytes) {
    const size_t symbolBytes = job_.fields.fec.symbolBytes;
    // RFC 5510 codes whole symbols: the object's short last one is padded with zeros, which are not sent.
    if (const size_t padding = sourceCount * symbolBytes - bytes; padding > 0) {
        std::memset(Slot(sourceCount - 1) + stride_ - padding, 0, padding);
    }
    memory_.source.clear();
    memory_.repair.clear();
    for (uint32_t index = 0; index < sourceCount + repairCount; ++index) {
        uint8_t* symbol = Slot(index) + header_.length();
        if (index < sourceCount) {
            memory_.source.push_back(symbol);
        } else {
            memory_.repair.push_back(symbol);
        }
    }
    codes_.Get(sourceCount, sourceCount + repairCount)
        ->Encode(symbolBytes, memory_.source.data(), memory_.repair.data());
}

SendRun Transmission::Next(size_t bytesMax, size_t overheadBytes) {
    if (next_ == slots_) {
        Load();
    }
    const size_t most = std::max<size_t>(1, bytesMax / (stride_ + overheadBytes));
    const size_t end = std::min(
        {slots_, next_ + most, shortSlot_ >= next_ && shortSlot_ != SIZE_MAX ? shortSlot_ + 1 : slots_});
    const size_t count = end - next_;
    const size_t lastBytes = end - 1 == shortSlot_ ? shortBytes_ : stride_;
    if (job_.fields.senderTime) {
        const int64_t now = WallClockNs();
        for (size_t index = next_; index < end; ++index) {
            header_.SetSenderTime(Slot(index), now);
        }
    }
    const packet::Run run{&job_.destination, Slot(next_), (count - 1) * stride_ + lastBytes,
                          count == 1 ? lastBytes : stride_};
    next_ = end;
    return {run, count, next_ == slots_ && block_ == partition_->blocks()};
}

}  // namespace streamverse::flute
