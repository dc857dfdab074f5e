#include "flute/src/receiver_thread.hpp"

#include <pthread.h>

#include <chrono>
#include <exception>
#include <future>

namespace streamverse::flute {
namespace {

constexpr int kTimerMs = 50;
constexpr uint64_t kWriteBytesMax = uint64_t{64} << 20;
// With UDP_GRO each may bring a run of up to 64 KiB.
constexpr unsigned kBatchDatagrams = 32;

Now ReadClocks() {
    using std::chrono::duration_cast;
    using std::chrono::milliseconds;
    return {duration_cast<milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count(),
            duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count()};
}

packet::ReceiverOptions SocketOptions(int receiveBufferBytes) {
    packet::ReceiverOptions options;
    options.receiveBufferBytes = receiveBufferBytes;
    options.batchDatagrams = kBatchDatagrams;
    options.gro = true;
    return options;
}

std::string NameOf(const packet::Endpoint& endpoint) {
    return endpoint.group + ' ' + std::to_string(endpoint.port) + ' ' + endpoint.source + ' ' +
           endpoint.interfaceAddress;
}

// An endpoint that is joined again and again must not be remembered again and again.
void Remember(std::vector<ListenEndpoint>& wanted, const ListenEndpoint& endpoint) {
    std::erase_if(wanted, [&](const ListenEndpoint& each) { return each.tsis == endpoint.tsis; });
    wanted.push_back(endpoint);
}

}  // namespace

ReceiverThread::ReceiverThread(ReceiveSettings settings, int receiveBufferBytes,
                               std::function<void()> onReady)
    : settings_(std::move(settings)),
      events_(std::move(onReady)),
      sockets_(SocketOptions(receiveBufferBytes)),
      core_(settings_, events_, views_,
            [this](std::shared_ptr<HashJob> job) { verifier_->Submit(std::move(job)); }),
      verifier_(std::make_unique<Verifier>(
          [this](const HashResult& result) { Post([this, result](const Now&) { core_.OnHash(result); }); })),
      thread_([this] { Run(); }) {}

void ReceiverThread::Stop() {
    const std::lock_guard stopping(stopMutex_);
    stopping_ = true;
    sockets_.Wake();
    if (thread_.joinable()) {
        thread_.join();
    }
    verifier_.reset();
    core_.Clear();
}

bool ReceiverThread::Post(Request request) {
    {
        const std::lock_guard lock(mutex_);
        if (failed_) {
            return false;
        }
        requests_.push_back(std::move(request));
    }
    sockets_.Wake();
    return true;
}

SessionGroup& ReceiverThread::Listen(const ListenEndpoint& endpoint) {
    return core_.Listen(endpoint.address.group, endpoint.address.port, endpoint.tsis, endpoint.objectIdleMs);
}

void ReceiverThread::Join(const ListenEndpoint& endpoint) {
    // A request that is never run takes its promise along, so that nobody waits for it in vain.
    auto done = std::make_shared<std::promise<void>>();
    std::future<void> joined = done->get_future();
    Post([this, endpoint, done = std::move(done)](const Now&) {
        try {
            const std::string name = NameOf(endpoint.address);
            auto found = joined_.find(name);
            if (found == joined_.end()) {
                found = joined_.emplace(name, Joined{sockets_.Join(endpoint.address), {}}).first;
            }
            Remember(found->second.wanted, endpoint);
            groups_[found->second.id] = &Listen(endpoint);
            done->set_value();
        } catch (...) {
            done->set_exception(std::current_exception());
        }
    });
    try {
        joined.get();
    } catch (const std::future_error&) {
        throw packet::SystemError("NATIVE_PACKET_CLOSED", "the receiver has failed");
    }
}

void ReceiverThread::Leave(const packet::Endpoint& endpoint) {
    Post([this, name = NameOf(endpoint)](const Now&) {
        const auto found = joined_.find(name);
        if (found == joined_.end()) {
            return;
        }
        SessionGroup* const group = groups_.at(found->second.id);
        sockets_.Leave(found->second.id);
        groups_.erase(found->second.id);
        joined_.erase(found);
        // Another source's or interface's endpoint may feed the same sessions.
        ReceiverCore::Unlisten(*group);
        for (const auto& [other, joined] : joined_) {
            if (groups_.at(joined.id) == group) {
                for (const ListenEndpoint& each : joined.wanted) {
                    Listen(each);
                }
            }
        }
    });
}

bool ReceiverThread::Write(uint64_t id, uint64_t offset, std::vector<uint8_t> bytes) {
    {
        const std::lock_guard lock(mutex_);
        if (writeBytes_ + bytes.size() > kWriteBytesMax) {
            return false;
        }
        writeBytes_ += bytes.size();
    }
    return Post([this, id, offset, taken = std::move(bytes)](const Now& now) {
        core_.Write(id, offset, taken, now);
        const std::lock_guard lock(mutex_);
        writeBytes_ -= taken.size();
    });
}

void ReceiverThread::Drop(uint64_t id) {
    Post([this, id](const Now&) { core_.Drop(id); });
}

void ReceiverThread::Forget(std::string group, uint16_t port, uint64_t tsi, Toi toi) {
    Post([this, group = std::move(group), port, tsi, toi](const Now&) {
        core_.Forget(group, port, tsi, toi);
    });
}

ReceiveStats ReceiverThread::stats() const {
    const std::lock_guard lock(mutex_);
    return stats_;
}

void ReceiverThread::RunRequests(const Now& now) {
    std::vector<Request> requests;
    {
        const std::lock_guard lock(mutex_);
        requests.swap(requests_);
    }
    for (const Request& request : requests) {
        request(now);
    }
}

void ReceiverThread::Step() {
    const std::span<const packet::Datagram> datagrams = sockets_.Receive(kTimerMs);
    const Now now = ReadClocks();
    // One read brings datagrams of one endpoint.
    const auto group = datagrams.empty() ? groups_.end() : groups_.find(datagrams.front().endpoint);
    if (group != groups_.end()) {
        for (const packet::Datagram& datagram : datagrams) {
            core_.OnDatagram(*group->second, datagram.bytes, now);
        }
    }
    core_.EndBatch(now);
    RunRequests(now);
    if (now.monotonicMs - lastTimerMs_ >= kTimerMs) {
        lastTimerMs_ = now.monotonicMs;
        core_.OnTimer(now);
    }
    ReceiveStats stats = core_.stats();
    stats.kernelDrops = sockets_.counters().kernelDrops;
    stats.malformedPackets += sockets_.counters().truncated;
    const std::lock_guard lock(mutex_);
    stats_ = stats;
}

void ReceiverThread::Run() {
    pthread_setname_np(pthread_self(), "flute-receive");
    while (!stopping_) {
        try {
            Step();
        } catch (const std::exception& error) {
            // Only memory can have run out: packets make no exceptions. The listener restarts the process.
            std::vector<Request> unanswered;
            {
                const std::lock_guard lock(mutex_);
                failed_ = true;
                unanswered.swap(requests_);
            }
            events_.Push(FailedEvent{"NATIVE_FLUTE_RECEIVER_FAILED", error.what()});
            return;
        }
    }
}

}  // namespace streamverse::flute
