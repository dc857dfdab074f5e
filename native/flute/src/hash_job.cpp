#include "flute/src/hash_job.hpp"

#include <fcntl.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cerrno>

#include "packet/src/descriptor.hpp"

namespace streamverse::flute {

void HashJob::FreeContext::operator()(evp_md_ctx_st* context) const {
    EVP_MD_CTX_free(context);
}

HashJob::HashJob(uint64_t objectId, uint64_t job, std::string path, bool wantsMd5)
    : objectId_(objectId), job_(job), path_(std::move(path)), sha256_(EVP_MD_CTX_new()) {
    EVP_DigestInit_ex(sha256_.get(), EVP_sha256(), nullptr);
    if (wantsMd5) {
        md5_.reset(EVP_MD_CTX_new());
        EVP_DigestInit_ex(md5_.get(), EVP_md5(), nullptr);
    }
}

int HashJob::Read(std::span<uint8_t> buffer, uint64_t target) {
    const packet::Descriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file.valid()) {
        return errno;
    }
    while (hashed_ < target && !cancelled()) {
        const size_t size = std::min<uint64_t>(buffer.size(), target - hashed_);
        const ssize_t count = ::pread(file.get(), buffer.data(), size, static_cast<off_t>(hashed_));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return count < 0 ? errno : EIO;
        }
        EVP_DigestUpdate(sha256_.get(), buffer.data(), static_cast<size_t>(count));
        if (md5_) {
            EVP_DigestUpdate(md5_.get(), buffer.data(), static_cast<size_t>(count));
        }
        hashed_ += static_cast<uint64_t>(count);
    }
    return 0;
}

bool HashJob::Work(std::span<uint8_t> buffer, HashResult& result) {
    // Read before the target: whoever sets the flag has set the final target first.
    const bool finishing = finishing_.load(std::memory_order_acquire);
    const uint64_t target = target_.load(std::memory_order_acquire);
    const int failure = hashed_ < target ? Read(buffer, target) : 0;
    if (!finishing || finished_ || cancelled()) {
        return false;
    }
    finished_ = true;
    result.objectId = objectId_;
    result.job = job_;
    result.failure = failure;
    EVP_DigestFinal_ex(sha256_.get(), result.sha256.data(), nullptr);
    if (md5_) {
        EVP_DigestFinal_ex(md5_.get(), result.md5.data(), nullptr);
    }
    return true;
}

}  // namespace streamverse::flute
