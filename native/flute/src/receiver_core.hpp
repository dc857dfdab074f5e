// The receiver without sockets or threads: datagrams and requests in, events out. One thread.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "flute/src/session.hpp"

namespace streamverse::flute {

// A group and port whose sessions are told apart by TSI.
class SessionGroup {
 public:
    SessionGroup(std::string group, uint16_t port) : group_(std::move(group)), port_(port) {}

    [[nodiscard]] const std::string& group() const { return group_; }
    [[nodiscard]] uint16_t port() const { return port_; }

 private:
    friend class ReceiverCore;
    [[nodiscard]] std::optional<int64_t> IdleMsOf(uint64_t tsi) const;
    void TellSessions();

    std::string group_;
    uint16_t port_;
    // objectIdleMs of what is wanted: of single sessions, and of all others if they are.
    std::map<uint64_t, int64_t> idleMsByTsi_;
    std::optional<int64_t> idleMsOfOthers_;
    std::vector<std::unique_ptr<Session>> sessions_;
};

class ReceiverCore {
 public:
    ReceiverCore(const ReceiveSettings& settings, EventQueue& events, ObjectViews& views,
                 std::function<void(std::shared_ptr<HashJob>)> verify)
        : context_(settings, events, views, std::move(verify)), unknown_(settings.limits.unknownBytesMax) {}

    // Adds `tsis` to what is taken from there; none means any. The group lives as long as the core.
    SessionGroup& Listen(const std::string& group, uint16_t port, const std::vector<uint64_t>& tsis,
                         std::optional<int64_t> objectIdleMs = std::nullopt);
    // Takes nothing from there any longer.
    static void Unlisten(SessionGroup& group);

    // `datagram` must stay valid until EndBatch.
    void OnDatagram(SessionGroup& group, Bytes datagram, const Now& now);
    void EndBatch(const Now& now);
    void OnTimer(const Now& now);

    void OnHash(const HashResult& result);
    void Write(uint64_t id, uint64_t offset, Bytes bytes, const Now& now);
    void Drop(uint64_t id);
    void Forget(const std::string& group, uint16_t port, uint64_t tsi, const Toi& toi);

    // Ends all sessions and removes the files of what is incomplete.
    void Clear() { groups_.clear(); }

    [[nodiscard]] ReceiveStats stats() const;

 private:
    [[nodiscard]] bool MakeRoom(SessionGroup& group, uint64_t tsi) const;
    [[nodiscard]] Session* FindSession(SessionGroup& group, uint64_t tsi);
    static void Retire(ReceivedObject& object);

    ReceiveContext context_;
    UnknownPackets unknown_;
    uint64_t nextSessionKey_ = 1;
    std::list<SessionGroup> groups_;
};

}  // namespace streamverse::flute
