// Hashes files on a thread of its own, so that reception goes on meanwhile.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "flute/src/hash_job.hpp"

namespace streamverse::flute {

class Verifier {
 public:
    // `onResult` is called on the verifier's thread.
    explicit Verifier(std::function<void(const HashResult&)> onResult);
    ~Verifier();
    Verifier(const Verifier&) = delete;
    Verifier& operator=(const Verifier&) = delete;

    // Has the job look again at how far it may go. A job waits in the queue at most once, so the queue is as
    // bounded as the open objects are.
    void Submit(std::shared_ptr<HashJob> job);

 private:
    void Run();

    std::function<void(const HashResult&)> onResult_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::shared_ptr<HashJob>> queue_;
    std::shared_ptr<HashJob> current_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace streamverse::flute
