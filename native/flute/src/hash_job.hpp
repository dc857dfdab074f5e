// The digests of one object's file, computed as far as its bytes are in place.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

struct evp_md_ctx_st;

namespace streamverse::flute {

struct HashResult {
    uint64_t objectId = 0;
    uint64_t job = 0;
    int failure = 0;  // errno of a file that could not be read
    std::array<uint8_t, 32> sha256{};
    std::array<uint8_t, 16> md5{};  // only when it was asked for
};

class HashJob {
 public:
    HashJob(uint64_t objectId, uint64_t job, std::string path, bool wantsMd5);

    // Any thread: the first `bytes` of the file are in place.
    void Advance(uint64_t bytes) { target_.store(bytes, std::memory_order_release); }
    void Finish() { finishing_.store(true, std::memory_order_release); }
    void Cancel() { cancelled_.store(true, std::memory_order_relaxed); }

    // The verifier's thread only. True when the job is over and `result` says how.
    [[nodiscard]] bool Work(std::span<uint8_t> buffer, HashResult& result);
    [[nodiscard]] bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

    std::atomic<bool> queued{false};

 private:
    struct FreeContext {
        void operator()(evp_md_ctx_st* context) const;
    };
    using Context = std::unique_ptr<evp_md_ctx_st, FreeContext>;
    [[nodiscard]] int Read(std::span<uint8_t> buffer, uint64_t target);

    const uint64_t objectId_;
    const uint64_t job_;
    const std::string path_;
    std::atomic<uint64_t> target_{0};
    std::atomic<bool> finishing_{false};
    std::atomic<bool> cancelled_{false};
    uint64_t hashed_ = 0;
    bool finished_ = false;
    Context sha256_;
    Context md5_;
};

}  // namespace streamverse::flute
