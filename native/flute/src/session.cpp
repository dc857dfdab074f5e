#include "flute/src/session.hpp"

#include <algorithm>

namespace streamverse::flute {
namespace {

bool Differ(const std::string& left, const std::string& right) {
    return !left.empty() && !right.empty() && left != right;
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
        CloseSession();
    }
    if (!packet.hasToi) {
        context_.stats.malformedPackets += packet.closeSession ? 0 : 1;
        return;
    }
    if (packet.toi.IsZero()) {
        if (!packet.payload.empty()) {
            if (const auto body = fdt_.OnPacket(packet)) {
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

void Session::CloseSession() {
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
        return;
    }
    ++context_.stats.fdtInstances;
    context_.events.Push(
        FdtEvent{name_, body.instanceId, document->expiresMs, document->files.size(), body.senderTimeMs});
    const int64_t localExpiresMs = now.unixMs + livesMs;
    for (FdtFile& file : document->files) {
        OnFile(std::move(file), document->expiresMs, localExpiresMs, now);
    }
}

void Session::OnFile(FdtFile file, int64_t expiresMs, int64_t localExpiresMs, const Now& now) {
    const Toi toi = file.toi;
    Entry* entry = Find(toi);
    if (entry != nullptr && !IsAnother(*entry->file, file)) {
        entry->expiresMs = std::max(entry->expiresMs, expiresMs);
        entry->localExpiresMs = std::max(entry->localExpiresMs, localExpiresMs);
        return;
    }
    if (entry == nullptr) {
        if (!MakeRoom()) {
            ++context_.stats.fdtRefused;
            return;
        }
        entry = &entries_[toi];
    } else if (entry->object) {
        entry->object->GiveUp("NATIVE_FLUTE_REPLACED", "the FDT now describes another object under this TOI");
        entry->object.reset();
    }
    entry->file = std::make_shared<const FdtFile>(std::move(file));
    entry->expiresMs = expiresMs;
    entry->localExpiresMs = localExpiresMs;
    nextExpiryMs_ = std::min(nextExpiryMs_, localExpiresMs);
    Start(*entry);
    Replay(toi, now);
}

bool Session::MakeRoom() {
    if (entries_.size() < context_.settings.limits.knownObjectsMax) {
        return true;
    }
    last_ = nullptr;
    std::erase_if(entries_, [&](const auto& each) {
        if (!each.second.object) {
            context_.views.Remove(each.second.objectId);
        }
        return !each.second.object;
    });
    return entries_.size() < context_.settings.limits.knownObjectsMax;
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
    if (now.unixMs < nextExpiryMs_) {
        return;
    }
    last_ = nullptr;
    nextExpiryMs_ = INT64_MAX;
    for (auto at = entries_.begin(); at != entries_.end();) {
        Entry& entry = at->second;
        if (entry.localExpiresMs > now.unixMs) {
            nextExpiryMs_ = std::min(nextExpiryMs_, entry.localExpiresMs);
            ++at;
            continue;
        }
        if (entry.object) {
            entry.object->GiveUp("NATIVE_FLUTE_EXPIRED",
                                 "the FDT instance expired before the object was whole");
        }
        context_.views.Remove(entry.objectId);
        at = entries_.erase(at);
    }
}

}  // namespace streamverse::flute
