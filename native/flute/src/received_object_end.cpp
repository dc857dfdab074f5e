// How an object ends: verified, emptied to be received anew, or given up.
#include <cerrno>
#include <cstring>

#include "flute/src/received_object.hpp"

namespace streamverse::flute {
namespace {

std::string ToHex(std::span<const uint8_t> bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (const uint8_t byte : bytes) {
        text.push_back(kDigits[byte >> 4]);
        text.push_back(kDigits[byte & 15]);
    }
    return text;
}

bool Matches(const std::string& expected, std::span<const uint8_t> actual) {
    return expected.empty() || std::memcmp(expected.data(), actual.data(), actual.size()) == 0;
}

// SHA-256 decides where the FDT gives one; Content-MD5 (deprecated by TS 103 769) where it is all there is,
// but not for an encoded object: RFC 2616 section 14.15 takes it over the encoded bytes, and senders exist
// (ypo/flute) that take it over the decoded ones. The encoding's own check sum is left to whoever decodes it.
bool IsCheckedByMd5(const FdtFile& file) {
    return file.sha256.empty() && !file.md5.empty() && file.contentEncoding.empty();
}

}  // namespace

void ReceivedObject::OnTimer(const Now& now) {
    Flush(now);
    if (phase_ == Phase::kIncoming && now.monotonicMs - lastPacketMs_ >= owner_.objectIdleMs()) {
        EndTransmission();
    }
}

void ReceivedObject::EndTransmission() {
    endPending_ = false;
    context_.active.erase(this);
    if (phase_ == Phase::kIncoming) {
        store_->Close();
        context_.events.Push(EndedEvent{id_, MissingBytes()});
    }
}

uint64_t ReceivedObject::MissingBytes() const {
    return partition_->transferLength() - (assembly_ ? assembly_->receivedBytes() : 0);
}

void ReceivedObject::NewHashJob() {
    hashJob_ = context_.nextHashJob++;
    hashAskedBytes_ = 0;
    hash_ = std::make_shared<HashJob>(id_, hashJob_, path(), IsCheckedByMd5(*file_));
}

void ReceivedObject::Verify() {
    phase_ = Phase::kVerifying;
    endPending_ = false;
    context_.active.erase(this);
    store_->Close();
    hash_->Advance(partition_ ? partition_->transferLength() : 0);
    hash_->Finish();
    context_.verify(hash_);
}

void ReceivedObject::OnHash(const HashResult& result) {
    if (phase_ != Phase::kVerifying || result.job != hashJob_) {
        return;
    }
    if (result.failure != 0) {
        return GiveUpForFile(result.failure);
    }
    if (Matches(file_->sha256, result.sha256) &&
        (!IsCheckedByMd5(*file_) || Matches(file_->md5, result.md5))) {
        return Complete(result);
    }
    if (++digestAttempts_ >= context_.settings.limits.digestAttemptsMax || !assembly_) {
        return GiveUp("NATIVE_FLUTE_DIGEST_MISMATCH",
                      "the bytes received are not those that the FDT promised");
    }
    Refill();
}

void ReceivedObject::Refill() {
    assembly_->Clear();
    countedRecoveredBytes_ = 0;
    lastProgressBytes_ = 0;
    NewHashJob();
    phase_ = Phase::kIncoming;
    context_.events.Push(ProgressEvent{id_, 0});
    context_.events.Push(EndedEvent{id_, MissingBytes()});
}

void ReceivedObject::Complete(const HashResult& result) {
    phase_ = Phase::kComplete;
    const uint64_t length = partition_ ? partition_->transferLength() : 0;
    ++context_.stats.objectsComplete;
    context_.views.Set(id_, {length, 1, true, nullptr});
    context_.events.Push(CompleteEvent{id_, path(), length, ToHex(result.sha256),
                                       assembly_ ? assembly_->fecRecoveredBytes() : 0,
                                       assembly_ ? assembly_->repairedBytes() : 0});
    Release();
}

void ReceivedObject::GiveUpForFile(int failure) {
    const bool full = failure == ENOSPC || failure == EDQUOT || failure == EFBIG;
    GiveUp(full ? "NATIVE_FLUTE_NO_SPACE" : "NATIVE_FLUTE_FILE", path() + ": " + std::strerror(failure));
}

void ReceivedObject::GiveUp(const char* code, std::string message) {
    if (finished()) {
        return;
    }
    phase_ = Phase::kGaveUp;
    if (store_) {
        store_->Remove();
    }
    ++context_.stats.objectsGivenUp;
    context_.views.Remove(id_);
    if (announced_) {
        context_.events.Push(GaveUpEvent{id_, code, std::move(message)});
    }
    MarkDirty();  // So that its session puts it away at the end of the batch.
    Release();
}

void ReceivedObject::Release() {
    context_.active.erase(this);
    if (hash_ && phase_ != Phase::kComplete) {
        hash_->Cancel();
    }
    hash_.reset();
    assembly_.reset();
    map_.reset();
    store_.reset();
    if (budgeted_) {
        budgeted_ = false;
        context_.openObjects.Give(1);
        context_.openBytes.Give(partition_->transferLength());
        context_.mapBytes.Give(partition_->symbols() / 8 + 64);
    }
}

}  // namespace streamverse::flute
