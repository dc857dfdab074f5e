#include "flute/src/session.hpp"

#include <algorithm>

namespace streamverse::flute {
namespace {

bool Differ(const std::string& left, const std::string& right) {
    return !left.empty() && !right.empty() && left != right;
}

// The nodes of the table and of the object beside the texts.
constexpr uint64_t kEntryOverheadBytes = 512;

uint64_t CostOf(const FdtFile& file) {
    uint64_t cost = kEntryOverheadBytes + file.contentLocation.size() + file.contentType.size() +
                    file.contentEncoding.size() + file.entityTag.size();
    for (const auto& [name, value] : file.extension) {
        cost += name.size() + value.size() + 96;
    }
    return cost;
}

// One TOI may be described by several instances; only another object under the same TOI replaces what is
// there.
bool IsAnother(const FdtFile& known, const FdtFile& file) {
    return known.contentLocation != file.contentLocation ||
           (known.transferLength && file.transferLength && *known.transferLength != *file.transferLength) ||
           Differ(known.sha256, file.sha256) || Differ(known.md5, file.md5) ||
           Differ(known.entityTag, file.entityTag);
}

}  // namespace

Session::Entry* Session::Find(const Toi& toi) {
    if (last_ != nullptr && lastToi_ == toi) {
        return last_;
    }
    const auto found = entries_.find(toi);
    if (found == entries_.end()) {
        return nullptr;
    }
    lastToi_ = toi;
    last_ = &found->second;
    return last_;
}

void Session::OnPacket(const LctPacket& packet, Bytes datagram, const Now& now) {
    lastPacketMs_ = now.monotonicMs;
    if (packet.closeSession) {
        CloseSession(now);
    }
    if (!packet.hasToi) {
        context_.stats.malformedPackets += packet.closeSession ? 0 : 1;
        return;
    }
    if (packet.toi.IsZero()) {
        if (!packet.payload.empty()) {
            if (const auto body = fdt_.OnPacket(packet, now)) {
                OnFdt(*body, now);
            }
        }
        return;
    }
    Entry* const entry = Find(packet.toi);
    if (entry == nullptr) {
        unknown_.Keep(key_, packet.toi, datagram);
    } else if (entry->object) {
        entry->object->OnPacket(packet, now);
    } else {
        ++context_.stats.lateSymbols;
    }
}

void Session::CloseSession(const Now& now) {
    // A flag on every packet must not mean a walk for every packet.
    if (lastCloseMs_ == now.monotonicMs) {
        return;
    }
    lastCloseMs_ = now.monotonicMs;
    const std::vector<ReceivedObject*> active(context_.active.begin(), context_.active.end());
    for (ReceivedObject* const object : active) {
        if (&object->owner() == this) {
            object->MarkEnd();
        }
    }
}

void Session::OnFdt(const FdtBody& body, const Now& now) {
    if (context_.events.size() > context_.settings.limits.eventsMax) {
        return fdt_.Forget(body.instanceId);
    }
    auto document = ParseFdt(body.xml);
    if (!document) {
        ++context_.stats.fdtRefused;
        return;
    }
    // The clock of a box that was never online may be wrong: where the sender says its own time, that counts.
    const int64_t senderNowMs = body.senderTimeMs.value_or(now.unixMs);
    // Expires is in whole seconds, and the instance lives to the end of that second.
    const int64_t livesMs = document->expiresMs + 1000 - senderNowMs;
    if (livesMs <= 0) {
        ++context_.stats.fdtExpired;
        // Its repetition is looked at anew: the box's clock may have been wrong.
        return fdt_.Forget(body.instanceId);
    }
    ++context_.stats.fdtInstances;
    context_.events.Push(
        FdtEvent{name_, body.instanceId, document->expiresMs, document->files.size(), body.senderTimeMs});
    const Life life = body.senderTimeMs ? Life{INT64_MIN, now.monotonicMs + livesMs}
                                        : Life{now.unixMs + livesMs, INT64_MIN};
    for (FdtFile& file : document->files) {
        OnFile(std::move(file), document->expiresMs, life, now);
    }
}

void Session::OnFile(FdtFile file, int64_t expiresMs, const Life& life, const Now& now) {
    const Toi toi = file.toi;
    Entry* entry = Find(toi);
    NoteExpiry(life, now);
    if (entry != nullptr && !IsAnother(*entry->file, file)) {
        return Prolong(*entry, expiresMs, life);
    }
    if (entry != nullptr) {
        if (entry->object) {
            entry->object->GiveUp("NATIVE_FLUTE_REPLACED",
                                  "the FDT now describes another object under this TOI");
        }
        Release(*entry);
        entries_.erase(toi);
        last_ = nullptr;
    }
    if (!Describe(toi, std::move(file))) {
        ++context_.stats.fdtRefused;
        return;
    }
    entry = Find(toi);
    Prolong(*entry, expiresMs, life);
    Start(*entry);
    Replay(toi, now);
}

void Session::Prolong(Entry& entry, int64_t expiresMs, const Life& life) {
    entry.expiresMs = std::max(entry.expiresMs, expiresMs);
    entry.life.unixMs = std::max(entry.life.unixMs, life.unixMs);
    entry.life.monotonicMs = std::max(entry.life.monotonicMs, life.monotonicMs);
}

// Only what still lies ahead makes the timer look at the entries again.
void Session::NoteExpiry(const Life& life, const Now& now) {
    if (life.unixMs > now.unixMs) {
        nextExpiry_.unixMs = std::min(nextExpiry_.unixMs, life.unixMs);
    }
    if (life.monotonicMs > now.monotonicMs) {
        nextExpiry_.monotonicMs = std::min(nextExpiry_.monotonicMs, life.monotonicMs);
    }
}

bool Session::Describe(const Toi& toi, FdtFile file) {
    const uint64_t cost = CostOf(file);
    if (entries_.size() >= context_.settings.limits.knownObjectsMax) {
        EraseFinished();
    }
    if (entries_.size() >= context_.settings.limits.knownObjectsMax) {
        return false;
    }
    if (!context_.describedBytes.Take(cost)) {
        EraseFinished();
        if (!context_.describedBytes.Take(cost)) {
            return false;
        }
    }
    Entry& entry = entries_[toi];
    entry.costBytes = cost;
    entry.file = std::make_shared<const FdtFile>(std::move(file));
    return true;
}

void Session::EraseFinished() {
    last_ = nullptr;
    std::erase_if(entries_, [&](const auto& each) {
        const bool finished = !each.second.object;
        if (finished) {
            Release(each.second);
        }
        return finished;
    });
}

// Whoever calls it takes the entry away.
void Session::Release(const Entry& entry) const {
    context_.views.Remove(entry.objectId);
    context_.describedBytes.Give(entry.costBytes);
}

Session::~Session() {
    for (auto& [toi, entry] : entries_) {
        Release(entry);
    }
}

void Session::Start(Entry& entry) {
    entry.object = std::make_unique<ReceivedObject>(context_, *this, name_, entry.file, entry.expiresMs);
    entry.objectId = entry.object->id();
    entry.object->Announce();
}

void Session::Replay(const Toi& toi, const Now& now) {
    const auto datagrams = unknown_.Take(key_, toi);
    Entry* const entry = Find(toi);
    for (const auto& datagram : datagrams) {
        LctPacket packet;
        if (entry->object && ParseLct(datagram, packet)) {
            entry->object->OnPacket(packet, now);
        }
    }
    if (!datagrams.empty() && entry->object) {
        entry->object->Flush(now);
    }
}

void Session::Retire(const Toi& toi) {
    Entry* const entry = Find(toi);
    if (entry != nullptr && entry->object && entry->object->finished()) {
        entry->object.reset();
    }
}

void Session::Forget(const Toi& toi) {
    Entry* const entry = Find(toi);
    if (entry != nullptr && !entry->object) {
        context_.views.Remove(entry->objectId);
        Start(*entry);
    }
}

void Session::OnTimer(const Now& now) {
    fdt_.OnTimer(now);
    if (now.unixMs < nextExpiry_.unixMs && now.monotonicMs < nextExpiry_.monotonicMs) {
        return;
    }
    last_ = nullptr;
    nextExpiry_ = {INT64_MAX, INT64_MAX};
    for (auto at = entries_.begin(); at != entries_.end();) {
        Entry& entry = at->second;
        if (!entry.life.Over(now)) {
            NoteExpiry(entry.life, now);
            ++at;
            continue;
        }
        if (entry.object) {
            entry.object->GiveUp("NATIVE_FLUTE_EXPIRED",
                                 "the FDT instance expired before the object was whole");
        }
        Release(entry);
        at = entries_.erase(at);
    }
}

}  // namespace streamverse::flute
