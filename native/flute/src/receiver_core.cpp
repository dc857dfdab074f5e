#include "flute/src/receiver_core.hpp"

#include <algorithm>
#include <utility>

namespace streamverse::flute {

SessionGroup& ReceiverCore::Listen(const std::string& group, uint16_t port, const std::vector<uint64_t>& tsis,
                                   std::optional<int64_t> objectIdleMs) {
    auto found = std::find_if(groups_.begin(), groups_.end(), [&](const SessionGroup& each) {
        return each.group_ == group && each.port_ == port;
    });
    if (found == groups_.end()) {
        found = groups_.emplace(groups_.end(), group, port);
    }
    const int64_t idleMs = objectIdleMs.value_or(context_.settings.objectIdleMs);
    for (const uint64_t tsi : tsis) {
        found->idleMsByTsi_[tsi] = idleMs;
    }
    if (tsis.empty()) {
        found->idleMsOfOthers_ = idleMs;
    }
    found->TellSessions();
    return *found;
}

void ReceiverCore::Unlisten(SessionGroup& group) {
    group.idleMsByTsi_.clear();
    group.idleMsOfOthers_.reset();
    group.TellSessions();
}

std::optional<int64_t> SessionGroup::IdleMsOf(uint64_t tsi) const {
    const auto found = idleMsByTsi_.find(tsi);
    return found == idleMsByTsi_.end() ? idleMsOfOthers_ : std::optional(found->second);
}

void SessionGroup::TellSessions() {
    for (const auto& session : sessions_) {
        session->SetWanted(IdleMsOf(session->name().tsi));
    }
}

// Of the sessions that have described nothing the one that has been silent longest goes: garbage must not
// keep a session out that has something to say.
// What was asked for by name has room of its own.
bool ReceiverCore::MakeRoom(SessionGroup& group, uint64_t tsi) const {
    auto& sessions = group.sessions_;
    const size_t named = group.idleMsByTsi_.contains(tsi) ? group.idleMsByTsi_.size() : 0;
    if (sessions.size() < context_.settings.limits.sessionsPerEndpointMax + named) {
        return true;
    }
    auto oldest = sessions.end();
    for (auto at = sessions.begin(); at != sessions.end(); ++at) {
        if ((*at)->empty() &&
            (oldest == sessions.end() || (*at)->lastPacketMs() < (*oldest)->lastPacketMs())) {
            oldest = at;
        }
    }
    if (oldest == sessions.end()) {
        return false;
    }
    sessions.erase(oldest);
    return true;
}

Session* ReceiverCore::FindSession(SessionGroup& group, uint64_t tsi) {
    for (const auto& session : group.sessions_) {
        if (session->name().tsi == tsi) {
            return session->wanted() ? session.get() : nullptr;
        }
    }
    const std::optional<int64_t> idleMs = group.IdleMsOf(tsi);
    if (!idleMs || !MakeRoom(group, tsi)) {
        return nullptr;
    }
    group.sessions_.push_back(std::make_unique<Session>(
        context_, unknown_, SessionName{group.group_, group.port_, tsi}, nextSessionKey_++, *idleMs));
    return group.sessions_.back().get();
}

void ReceiverCore::OnDatagram(SessionGroup& group, Bytes datagram, const Now& now) {
    ++context_.stats.packets;
    context_.stats.bytes += datagram.size();
    LctPacket packet;
    if (!ParseLct(datagram, packet)) {
        ++context_.stats.malformedPackets;
        return;
    }
    Session* const session = FindSession(group, packet.tsi);
    if (session == nullptr) {
        ++context_.stats.foreignPackets;
        return;
    }
    session->OnPacket(packet, datagram, now);
}

void ReceiverCore::Retire(ReceivedObject& object) {
    if (object.finished()) {
        object.owner().Retire(object.toi());
    }
}

void ReceiverCore::EndBatch(const Now& now) {
    for (ReceivedObject* const object : std::exchange(context_.dirty, {})) {
        object->Settle(now);
        Retire(*object);
    }
}

void ReceiverCore::OnTimer(const Now& now) {
    EndBatch(now);
    const std::vector<ReceivedObject*> active(context_.active.begin(), context_.active.end());
    for (ReceivedObject* const object : active) {
        object->OnTimer(now);
    }
    for (SessionGroup& group : groups_) {
        for (const auto& session : group.sessions_) {
            session->OnTimer(now);
        }
    }
    EndBatch(now);
}

void ReceiverCore::OnHash(const HashResult& result) {
    const auto found = context_.objects.find(result.objectId);
    if (found != context_.objects.end()) {
        ReceivedObject& object = *found->second;
        object.OnHash(result);
        Retire(object);
    }
}

void ReceiverCore::Write(uint64_t id, uint64_t offset, Bytes bytes, const Now& now) {
    const auto found = context_.objects.find(id);
    if (found != context_.objects.end()) {
        ReceivedObject& object = *found->second;
        object.OnBytes(offset, bytes, now);
        Retire(object);
    }
}

void ReceiverCore::Drop(uint64_t id) {
    const auto found = context_.objects.find(id);
    if (found != context_.objects.end()) {
        ReceivedObject& object = *found->second;
        object.GiveUp("NATIVE_FLUTE_DROPPED", "not wanted");
        Retire(object);
    }
}

void ReceiverCore::Forget(const std::string& group, uint16_t port, uint64_t tsi, const Toi& toi) {
    for (SessionGroup& each : groups_) {
        if (each.group_ != group || each.port_ != port) {
            continue;
        }
        for (const auto& session : each.sessions_) {
            if (session->name().tsi == tsi) {
                session->Forget(toi);
            }
        }
    }
}

ReceiveStats ReceiverCore::stats() const {
    ReceiveStats stats = context_.stats;
    stats.objectsOpen = context_.openObjects.used();
    stats.openBytes = context_.openBytes.used();
    stats.unknownBytes = unknown_.bytes();
    stats.unknownDropped = unknown_.dropped();
    return stats;
}

}  // namespace streamverse::flute
