#include "flute/src/assembly.hpp"

#include <algorithm>
#include <cstring>

namespace streamverse::flute {
namespace {

constexpr size_t kRunPartsMax = 512;
// Vector, map node and allocator beside the bytes of a kept repair symbol.
constexpr uint64_t kRepairOverheadBytes = 96;

bool IsZero(const iovec& part) {
    const auto* bytes = static_cast<const uint8_t*>(part.iov_base);
    return bytes[0] == 0 && std::memcmp(bytes, bytes + 1, part.iov_len - 1) == 0;
}

}  // namespace

Assembly::Assembly(uint8_t encodingId, const Partition& partition, SymbolStore& store, SymbolMap& map,
                   RepairWorkshop& workshop, size_t partialRangesMax)
    : encodingId_(encodingId),
      partition_(partition),
      store_(store),
      map_(map),
      workshop_(workshop),
      partial_(partialRangesMax) {}

Assembly::~Assembly() {
    DropAllRepairs();
}

uint64_t Assembly::ByteOf(uint64_t symbol) const {
    return std::min(symbol * partition_.symbolBytes(), partition_.transferLength());
}

Taken Assembly::OnSymbol(uint64_t block, uint32_t symbolId, Bytes symbol) {
    if (block >= partition_.blocks()) {
        return Taken::kMalformed;
    }
    if (symbolId >= partition_.BlockSymbols(block)) {
        return OnRepair(block, symbolId, symbol);
    }
    const uint64_t index = partition_.FirstSymbol(block) + symbolId;
    const uint32_t length = partition_.SymbolLength(index);
    // Some senders pad the object's last symbol to full length.
    if (symbol.size() < length || symbol.size() > partition_.symbolBytes()) {
        return Taken::kMalformed;
    }
    if (Has(index)) {
        return Taken::kDuplicate;
    }
    if ((index != runEnd_ || run_.size() >= kRunPartsMax) && !Flush()) {
        return Taken::kFailed;
    }
    if (run_.empty()) {
        runBegin_ = index;
    }
    runEnd_ = index + 1;
    run_.push_back({const_cast<uint8_t*>(symbol.data()), length});
    if (!repairs_.empty() && !TryDecode(block)) {
        return Taken::kFailed;
    }
    return Taken::kNew;
}

uint64_t Assembly::Present(uint64_t block) const {
    const uint64_t begin = partition_.FirstSymbol(block);
    const uint64_t end = begin + partition_.BlockSymbols(block);
    const uint64_t runBegin = std::max(begin, runBegin_);
    const uint64_t runEnd = std::min(end, runEnd_);
    return map_.Count(begin, end) + (runEnd > runBegin ? runEnd - runBegin : 0);
}

Taken Assembly::OnRepair(uint64_t block, uint32_t symbolId, Bytes symbol) {
    if (encodingId_ != kFecReedSolomon || symbolId >= fec::kSymbolsMax ||
        symbol.size() != partition_.symbolBytes()) {
        return Taken::kMalformed;
    }
    if (Present(block) == partition_.BlockSymbols(block)) {
        return Taken::kRepair;
    }
    const auto found = repairs_.find(block);
    if (found != repairs_.end()) {
        for (const Repair& repair : found->second) {
            if (repair.symbolId == symbolId) {
                return Taken::kDuplicate;
            }
        }
    }
    if (workshop_.symbolBytes.Take(symbol.size() + kRepairOverheadBytes)) {
        repairs_[block].push_back({symbolId, {symbol.begin(), symbol.end()}});
    }
    return TryDecode(block) ? Taken::kRepair : Taken::kFailed;
}

bool Assembly::TryDecode(uint64_t block) {
    const auto found = repairs_.find(block);
    if (found == repairs_.end()) {
        return true;
    }
    const uint64_t present = Present(block);
    const uint64_t wanted = partition_.BlockSymbols(block);
    if (present < wanted) {
        if (present + found->second.size() < wanted) {
            return true;
        }
        if (!Flush() || !Decode(block, found->second)) {
            return false;
        }
    }
    DropRepairs(block);
    return true;
}

bool Assembly::Decode(uint64_t block, const std::vector<Repair>& repairs) {
    const uint64_t first = partition_.FirstSymbol(block);
    const uint32_t count = partition_.BlockSymbols(block);
    const size_t symbolBytes = partition_.symbolBytes();
    std::vector<uint8_t>& scratch = workshop_.block;
    scratch.resize(count * symbolBytes);
    std::vector<const uint8_t*> source(count, nullptr);
    std::vector<uint8_t*> recovered;
    for (uint64_t at = first; at < first + count;) {
        const uint64_t begin = map_.Find(true, at, first + count);
        for (uint64_t hole = at; hole < begin; ++hole) {
            recovered.push_back(scratch.data() + (hole - first) * symbolBytes);
        }
        at = map_.Find(false, begin, first + count);
        if (at == begin) {
            continue;
        }
        uint8_t* const bytes = scratch.data() + (begin - first) * symbolBytes;
        const size_t size = ByteOf(at) - ByteOf(begin);
        failure_ = store_.Read(ByteOf(begin), {bytes, size});
        if (failure_ != 0) {
            return false;
        }
        // RFC 5510 section 6.1 codes a short last symbol as if padded with zeros.
        std::memset(bytes + size, 0, (at - begin) * symbolBytes - size);
        for (uint64_t symbol = begin; symbol < at; ++symbol) {
            source[symbol - first] = scratch.data() + (symbol - first) * symbolBytes;
        }
    }
    std::vector<fec::RepairSymbol> symbols;
    for (const Repair& repair : repairs) {
        symbols.push_back({repair.symbolId, repair.bytes.data()});
    }
    const auto code = workshop_.codes.Get(count, fec::kSymbolsMax);
    if (!code->Recover(symbolBytes, source.data(), symbols, recovered.data(), workshop_.workspace)) {
        return true;
    }
    for (const uint8_t* bytes : recovered) {
        const uint64_t symbol = first + static_cast<uint64_t>(bytes - scratch.data()) / symbolBytes;
        const uint32_t length = partition_.SymbolLength(symbol);
        if (!Put(ByteOf(symbol), bytes, length)) {
            return false;
        }
        Show(symbol, symbol + 1);
        fecRecoveredBytes_ += length;
    }
    return true;
}

bool Assembly::Put(uint64_t offset, const uint8_t* bytes, size_t size) {
    iovec part{const_cast<uint8_t*>(bytes), size};
    failure_ = store_.Write(offset, {&part, 1});
    return failure_ == 0;
}

void Assembly::Show(uint64_t begin, uint64_t end) {
    map_.Set(begin, end);
    receivedBytes_ += ByteOf(end) - ByteOf(begin);
}

bool Assembly::Flush() {
    if (run_.empty()) {
        return failure_ == 0;
    }
    // A fresh store reads as zeros: the holes of a sparse object stay holes.
    const bool written = fresh_ && std::all_of(run_.begin(), run_.end(), IsZero);
    failure_ = written ? 0 : store_.Write(ByteOf(runBegin_), run_);
    if (failure_ == 0) {
        Show(runBegin_, runEnd_);
    }
    run_.clear();
    runBegin_ = runEnd_ = 0;
    return failure_ == 0;
}

bool Assembly::OnBytes(uint64_t offset, Bytes bytes) {
    if (offset > partition_.transferLength() || !Flush()) {
        return failure_ == 0;
    }
    const uint64_t end = offset + std::min<uint64_t>(bytes.size(), partition_.transferLength() - offset);
    for (uint64_t at = offset; at < end;) {
        const uint64_t symbol = at / partition_.symbolBytes();
        const uint64_t hole = map_.Find(false, symbol, partition_.symbols());
        const uint64_t begin = std::max(at, ByteOf(hole));
        const uint64_t stop = std::min(end, ByteOf(map_.Find(true, hole, partition_.symbols())));
        if (begin >= stop) {
            break;
        }
        fresh_ = false;
        if (!Put(begin, bytes.data() + (begin - offset), stop - begin)) {
            return false;
        }
        ShowPartial(begin, stop);
        at = stop;
    }
    return TryDecodeWithin(offset, end);
}

// Repaired bytes may leave a block with so few holes that the repair symbols kept for it suffice.
bool Assembly::TryDecodeWithin(uint64_t begin, uint64_t end) {
    if (repairs_.empty() || begin >= end) {
        return true;
    }
    const uint64_t last = partition_.BlockOf((end - 1) / partition_.symbolBytes());
    for (uint64_t block = partition_.BlockOf(begin / partition_.symbolBytes()); block <= last; ++block) {
        if (!TryDecode(block)) {
            return false;
        }
    }
    return true;
}

// [begin, end) has been written and lies in symbols that were not there; those that are now whole count.
void Assembly::ShowPartial(uint64_t begin, uint64_t end) {
    const uint64_t symbolBytes = partition_.symbolBytes();
    uint64_t first = begin / symbolBytes;
    uint64_t last = (end + symbolBytes - 1) / symbolBytes;
    const uint64_t before = receivedBytes_;
    if (ByteOf(first) < begin || ByteOf(last) > end) {
        partial_.Add(begin, end);
    }
    if (!partial_.Covers(ByteOf(first), ByteOf(first + 1)) && ByteOf(first) < begin) {
        ++first;
    }
    if (last > first && ByteOf(last) > end && !partial_.Covers(ByteOf(last - 1), ByteOf(last))) {
        --last;
    }
    if (last > first) {
        Show(first, last);
    }
    repairedBytes_ += receivedBytes_ - before;
}

uint64_t Assembly::ContiguousBytes() {
    prefix_ = map_.Find(false, prefix_, partition_.symbols());
    return ByteOf(prefix_);
}

void Assembly::DropRepairs(uint64_t block) {
    const auto found = repairs_.find(block);
    for (const Repair& repair : found->second) {
        workshop_.symbolBytes.Give(repair.bytes.size() + kRepairOverheadBytes);
    }
    repairs_.erase(found);
}

void Assembly::DropAllRepairs() {
    while (!repairs_.empty()) {
        DropRepairs(repairs_.begin()->first);
    }
}

void Assembly::Clear() {
    fresh_ = false;
    run_.clear();
    runBegin_ = runEnd_ = prefix_ = 0;
    receivedBytes_ = fecRecoveredBytes_ = repairedBytes_ = 0;
    partial_.Clear();
    DropAllRepairs();
    map_.Clear();
}

}  // namespace streamverse::flute
