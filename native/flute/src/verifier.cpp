#include "flute/src/verifier.hpp"

#include <pthread.h>

#include <vector>

namespace streamverse::flute {
namespace {

constexpr size_t kReadBytes = 256 * 1024;

}  // namespace

Verifier::Verifier(std::function<void(const HashResult&)> onResult)
    : onResult_(std::move(onResult)), thread_([this] { Run(); }) {}

Verifier::~Verifier() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        if (current_) {
            current_->Cancel();
        }
    }
    wake_.notify_one();
    thread_.join();
}

void Verifier::Submit(std::shared_ptr<HashJob> job) {
    if (job->queued.exchange(true)) {
        return;
    }
    {
        const std::lock_guard lock(mutex_);
        queue_.push_back(std::move(job));
    }
    wake_.notify_one();
}

void Verifier::Run() {
    pthread_setname_np(pthread_self(), "flute-verify");
    std::vector<uint8_t> buffer(kReadBytes);
    std::unique_lock lock(mutex_);
    while (true) {
        wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (stopping_) {
            return;
        }
        current_ = std::move(queue_.front());
        queue_.pop_front();
        const std::shared_ptr<HashJob> job = current_;
        lock.unlock();
        // Cleared before the work: an advance during it queues the job again.
        job->queued.store(false);
        HashResult result;
        if (!job->cancelled() && job->Work(buffer, result)) {
            onResult_(result);
        }
        lock.lock();
        current_.reset();
    }
}

}  // namespace streamverse::flute
