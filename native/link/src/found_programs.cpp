#include "link/src/found_programs.hpp"

#include <algorithm>

#include "link/src/crc.hpp"
#include "link/src/descriptor_loop.hpp"

namespace streamverse::link {

namespace {

constexpr uint8_t kPatTable = 0x00;
constexpr uint8_t kPmtTable = 0x02;
constexpr uint8_t kNitTable = 0x40;
constexpr uint8_t kSdtTable = 0x42;
constexpr uint8_t kTdtTable = 0x70;
constexpr size_t kHeadBytes = 8;
constexpr size_t kCrcBytes = 4;
constexpr size_t kTablesSeenMax = 1024;
constexpr int64_t kUnixDayMjd = 40587;

// Digits beyond 9 are read as what they are.
uint64_t Decimal(uint32_t coded, unsigned digits) {
    uint64_t value = 0;
    for (unsigned digit = digits; digit > 0; --digit) {
        value = value * 10 + (coded >> 4 * (digit - 1) & 15u);
    }
    return value;
}

// What a loop's 12-bit length in front of `at` says, as far as it is there.
bool TakeLoop(Bytes section, size_t& at, Bytes& loop) {
    if (at + 2 > section.size()) {
        return false;
    }
    const size_t bytes = Read16(section.data() + at) & 0x0FFFu;
    at += 2;
    if (at + bytes > section.size()) {
        return false;
    }
    loop = section.subspan(at, bytes);
    at += bytes;
    return true;
}

void ReadStreamDescriptor(uint8_t tag, Bytes body, FoundStream& stream) {
    constexpr uint8_t kRegistration = 0x05;
    constexpr uint8_t kDataBroadcast = 0x64;
    constexpr uint8_t kDataBroadcastIdTag = 0x66;
    constexpr uint32_t kUleFormat = 0x554C4531;  // "ULE1"
    if ((tag == kDataBroadcast || tag == kDataBroadcastIdTag) && body.size() >= 2) {
        stream.dataBroadcastId = Read16(body.data());
    } else if (tag == kRegistration && body.size() >= 4) {
        stream.isUle = stream.isUle || Read32(body.data()) == kUleFormat;
    }
}

SatelliteDelivery ReadDelivery(Bytes body) {
    SatelliteDelivery delivery;
    delivery.frequencyKhz = static_cast<uint32_t>(Decimal(Read32(body.data()), 8) * 10);
    delivery.orbitalPosition = static_cast<unsigned>(Decimal(Read16(body.data() + 4), 4));
    delivery.isEast = (body[6] & 0x80) != 0;
    delivery.polarization = body[6] >> 5 & 3;
    delivery.rollOff = body[6] >> 3 & 3;
    delivery.isSecondGeneration = (body[6] & 4) != 0;
    delivery.modulation = body[6] & 3;
    delivery.symbolRate = static_cast<uint32_t>(Decimal(Read32(body.data() + 7) >> 4, 7) * 100);
    delivery.codeRate = body[10] & 15;
    return delivery;
}

}  // namespace

FoundPrograms::News FoundPrograms::NewsOf(Bytes section) {
    const uint32_t key = static_cast<uint32_t>(section[0]) << 16 | Read16(section.data() + 3);
    if (seen_.size() >= kTablesSeenMax && !seen_.contains(key)) {
        seen_.clear();
    }
    Seen& seen = seen_[key];
    const int version = section[5] >> 1 & 31;
    const uint32_t checksum = Read32(section.data() + section.size() - kCrcBytes);
    const auto before = seen.checksums.find(section[6]);
    if (seen.version == version && before != seen.checksums.end() && before->second == checksum) {
        return News::kNone;
    }
    const bool isOther = seen.version != version || before != seen.checksums.end();
    if (isOther) {
        seen.checksums.clear();
    }
    seen.version = version;
    seen.checksums[section[6]] = checksum;
    return isOther ? News::kOther : News::kMore;
}

bool FoundPrograms::OnSection(const Origin& origin, Bytes section, ReceiveContext& context) {
    if (origin.pid == kTdtPid) {
        ReadTdt(section);
        return false;
    }
    if (section.size() < kHeadBytes + kCrcBytes || (section[1] & 0x80) == 0) {
        context.Report(origin, Damage::kSectionLength);
        return false;
    }
    if (Crc32(section.data(), section.size()) != 0) {
        context.Report(origin, Damage::kSectionCrc);
        return false;
    }
    // What is announced but does not hold yet, and tables of other networks and streams, are passed over.
    const uint8_t table = origin.pid == kPatPid   ? kPatTable
                          : origin.pid == kNitPid ? kNitTable
                          : origin.pid == kSdtPid ? kSdtTable
                                                  : kPmtTable;
    if (section[0] != table || (section[5] & 1) == 0) {
        return false;
    }
    const News news = NewsOf(section);
    if (news == News::kNone) {
        return false;
    }
    const Bytes body = section.first(section.size() - kCrcBytes);
    bool isSound = true;
    bool isChanged = false;
    switch (table) {
        case kPatTable:
            isChanged = ReadPat(body, news);
            break;
        case kNitTable:
            isSound = ReadNit(body);
            break;
        case kSdtTable:
            isSound = ReadSdt(body);
            break;
        default:
            isChanged = ReadPmt(body, origin.pid, isSound);
    }
    if (!isSound) {
        context.Report(origin, Damage::kPsiSyntax);
    }
    return isChanged;
}

bool FoundPrograms::ReadPat(Bytes section, News news) {
    if (news == News::kOther) {
        services_.clear();
        // The PMTs have to be read anew for services that stay.
        std::erase_if(seen_, [](const auto& entry) { return entry.first >> 16 != kPatTable; });
    }
    transportStreamId = Read16(section.data() + 3);
    for (size_t at = kHeadBytes; at + 4 <= section.size(); at += 4) {
        const uint16_t serviceId = Read16(section.data() + at);
        if (serviceId != 0 && services_.size() < kFoundServicesMax) {
            services_[serviceId].pmtPid = Read16(section.data() + at + 2) & 0x1FFF;
        }
    }
    return true;
}

bool FoundPrograms::ReadPmt(Bytes section, uint16_t pid, bool& isSound) {
    const auto service = services_.find(Read16(section.data() + 3));
    if (service == services_.end() || service->second.pmtPid != pid) {
        return false;
    }
    service->second.streams.clear();
    size_t at = kHeadBytes + 2;  // behind the PCR's PID
    Bytes loop;
    isSound = TakeLoop(section, at, loop);
    while (isSound && at < section.size() && service->second.streams.size() < kFoundStreamsMax) {
        if (at + 5 > section.size()) {
            isSound = false;
            break;
        }
        FoundStream stream;
        stream.streamType = section[at];
        stream.pid = Read16(section.data() + at + 1) & 0x1FFF;
        stream.isUle = stream.streamType == kUleStreamType;
        at += 3;
        isSound = TakeLoop(section, at, loop) && ForEachDescriptor(loop, [&](uint8_t tag, Bytes body) {
                      ReadStreamDescriptor(tag, body, stream);
                  });
        service->second.streams.push_back(stream);
    }
    return true;
}

bool FoundPrograms::ReadNit(Bytes section) {
    networkId = Read16(section.data() + 3);
    size_t at = kHeadBytes;
    Bytes loop;
    if (!TakeLoop(section, at, loop) || !ForEachDescriptor(loop, [&](uint8_t tag, Bytes body) {
            if (tag == 0x40) {
                networkName = ReadText(body);
            }
        })) {
        return false;
    }
    Bytes streams;
    if (!TakeLoop(section, at, streams)) {
        return false;
    }
    for (size_t from = 0; from + 6 <= streams.size();) {
        const uint16_t id = Read16(streams.data() + from);
        from += 4;
        const bool isThis = transportStreamId.value_or(id) == id;
        if (!TakeLoop(streams, from, loop) || !ForEachDescriptor(loop, [&](uint8_t tag, Bytes body) {
                if (tag == 0x43 && isThis && body.size() >= 11) {
                    delivery = ReadDelivery(body);
                }
            })) {
            return false;
        }
    }
    return true;
}

bool FoundPrograms::ReadSdt(Bytes section) {
    if (section.size() < kHeadBytes + 3) {
        return false;
    }
    originalNetworkId = Read16(section.data() + kHeadBytes);
    for (size_t at = kHeadBytes + 3; at + 5 <= section.size();) {
        const auto service = services_.find(Read16(section.data() + at));
        at += 3;
        Bytes loop;
        const auto read = [&](uint8_t tag, Bytes body) {
            if (tag != 0x48 || body.size() < 3 || service == services_.end()) {
                return;
            }
            const size_t provider = std::min<size_t>(body[1], body.size() - 3);
            const size_t name = std::min<size_t>(body[2 + provider], body.size() - 3 - provider);
            service->second.provider = ReadText(body.subspan(2, provider));
            service->second.name = ReadText(body.subspan(3 + provider, name));
        };
        if (!TakeLoop(section, at, loop) || !ForEachDescriptor(loop, read)) {
            return false;
        }
    }
    return true;
}

void FoundPrograms::ReadTdt(Bytes section) {
    if (section.size() < 8 || section[0] != kTdtTable) {
        return;
    }
    const int64_t day = Read16(section.data() + 3) - kUnixDayMjd;
    const auto part = [&](size_t at) { return static_cast<int64_t>(Decimal(section[at], 2)); };
    unixSeconds = day * 86400 + part(5) * 3600 + part(6) * 60 + part(7);
}

}  // namespace streamverse::link
