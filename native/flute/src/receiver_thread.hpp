// Sockets, the receiver core and its verifier, on threads of their own. Every public method from any thread.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "flute/src/receiver_core.hpp"
#include "flute/src/verifier.hpp"
#include "packet/src/udp_receiver.hpp"

namespace streamverse::flute {

struct ListenEndpoint {
    packet::Endpoint address;
    std::vector<uint64_t> tsis;
    std::optional<int64_t> objectIdleMs;  // of these sessions, where it is not the receiver's own
};

class ReceiverThread {
 public:
    // `onReady`: events wait. Called on the receiver's or the verifier's thread.
    ReceiverThread(ReceiveSettings settings, int receiveBufferBytes, std::function<void()> onReady);
    ~ReceiverThread() { Stop(); }
    ReceiverThread(const ReceiverThread&) = delete;
    ReceiverThread& operator=(const ReceiverThread&) = delete;

    // Throws packet::SystemError when the group cannot be joined.
    void Join(const ListenEndpoint& endpoint);
    void Leave(const packet::Endpoint& endpoint);
    // False when so much waits to be written that the caller has to come again.
    [[nodiscard]] bool Write(uint64_t id, uint64_t offset, std::vector<uint8_t> bytes);
    void Drop(uint64_t id);
    void Forget(std::string group, uint16_t port, uint64_t tsi, Toi toi);
    [[nodiscard]] std::vector<ReceiveEvent> TakeEvents() { return events_.Take(); }
    [[nodiscard]] const ObjectViews& views() const { return views_; }
    [[nodiscard]] ReceiveStats stats() const;
    // Ends the threads; nothing is told afterwards. Idempotent.
    void Stop();

 private:
    using Request = std::function<void(const Now&)>;

    void Run();
    void Step();
    // False once the thread has failed: nobody would ever answer.
    bool Post(Request request);
    void RunRequests(const Now& now);
    SessionGroup& Listen(const ListenEndpoint& endpoint);

    ReceiveSettings settings_;
    EventQueue events_;
    ObjectViews views_;
    packet::UdpReceiver sockets_;
    ReceiverCore core_;
    struct Joined {
        packet::EndpointId id;
        std::vector<ListenEndpoint> wanted;  // one per Join
    };
    std::map<packet::EndpointId, SessionGroup*> groups_;
    std::map<std::string, Joined> joined_;
    int64_t lastTimerMs_ = 0;

    mutable std::mutex mutex_;
    std::vector<Request> requests_;
    bool failed_ = false;
    uint64_t writeBytes_ = 0;
    ReceiveStats stats_;
    std::atomic<bool> stopping_{false};
    // A close under way and the end of the environment may stop at the same time.
    std::mutex stopMutex_;
    // Last, in this order: they start when all else is there, and the verifier ends first.
    std::unique_ptr<Verifier> verifier_;
    std::thread thread_;
};

}  // namespace streamverse::flute
