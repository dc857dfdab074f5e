#include "link/src/program_tables.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>

#include "link/src/section_builder.hpp"

namespace streamverse::link {

namespace {

constexpr uint8_t kPatTable = 0x00;
constexpr uint8_t kPmtTable = 0x02;
constexpr uint8_t kNitTable = 0x40;
constexpr uint8_t kSdtTable = 0x42;
constexpr uint8_t kTdtTable = 0x70;
constexpr uint16_t kNoPcr = 0x1FFF;
constexpr uint16_t kPidMin = 0x20;  // what is below belongs to the standards
constexpr uint16_t kPidMax = 0x1FFE;
constexpr uint8_t kDataBroadcastService = 0x0C;
constexpr uint8_t kRunning = 4;
constexpr int64_t kUnixDayMjd = 40587;  // 1970-01-01
constexpr int64_t kDaySeconds = 86400;
constexpr uint8_t kComponentTag = 1;
constexpr size_t kSectionBytesMax = 1024;

// Characters other than ASCII need the table named in front (EN 300 468, A.2).
std::string Coded(const std::string& text) {
    constexpr char kUtf8 = 0x15;
    const bool isAscii =
        std::all_of(text.begin(), text.end(), [](char letter) { return letter >= 0x20 && letter < 0x7F; });
    return isAscii ? text : kUtf8 + text;
}

void PutName(SectionBuilder& section, const std::string& text) {
    const std::string coded = Coded(text);
    section.Put8(static_cast<unsigned>(coded.size()));
    section.PutText(coded);
}

uint32_t BinaryCodedDecimal(uint64_t value, unsigned digits) {
    uint32_t coded = 0;
    for (unsigned digit = 0; digit < digits; ++digit) {
        coded |= static_cast<uint32_t>(value % 10) << 4 * digit;
        value /= 10;
    }
    return coded;
}

void PutDelivery(SectionBuilder& section, const SatelliteDelivery& delivery) {
    const size_t mark = section.OpenDescriptor(0x43);
    const uint32_t frequency = BinaryCodedDecimal((delivery.frequencyKhz + 5) / 10, 8);
    section.Put16(frequency >> 16);
    section.Put16(frequency & 0xFFFF);
    section.Put16(BinaryCodedDecimal(delivery.orbitalPosition, 4));
    section.Put8((delivery.isEast ? 0x80u : 0u) | (delivery.polarization & 3u) << 5 |
                 (delivery.isSecondGeneration ? (delivery.rollOff & 3u) << 3 | 4u : 0u) |
                 (delivery.modulation & 3u));
    const uint32_t rate =
        BinaryCodedDecimal((delivery.symbolRate + 50) / 100, 7) << 4 | (delivery.codeRate & 15u);
    section.Put16(rate >> 16);
    section.Put16(rate & 0xFFFF);
    section.Close8(mark);
}

// With multiprotocol_encapsulation_info (EN 301 192, 7.2.1): all six bytes of the address count, a group's
// are those that IP maps, nothing is aligned, and a datagram has one section.
void PutDataBroadcast(SectionBuilder& section) {
    const size_t mark = section.OpenDescriptor(0x64);
    section.Put16(kMpeDataBroadcastId);
    section.Put({kComponentTag, 2, 0xD7, 1, 'e', 'n', 'g', 0});
    section.Close8(mark);
}

}  // namespace

void CheckTransportStream(const TransportStream& stream) {
    if (stream.services.empty() || stream.services.size() > kServicesMax) {
        throw std::invalid_argument("a transport stream has 1 to 32 services");
    }
    std::set<unsigned> pids;
    std::set<unsigned> ids;
    for (const Service& service : stream.services) {
        for (const uint16_t pid : {service.pmtPid, service.pid}) {
            if (pid < kPidMin || pid > kPidMax || !pids.insert(pid).second) {
                throw std::invalid_argument("each service needs two PIDs of 32 to 8190 that no other has");
            }
        }
        if (service.serviceId == 0 || !ids.insert(service.serviceId).second) {
            throw std::invalid_argument("each service needs an id above 0 that no other has");
        }
        if (service.name.size() > kNameBytesMax || service.provider.size() > kNameBytesMax) {
            throw std::invalid_argument("names of services are at most 64 bytes long");
        }
    }
    if (stream.networkName.size() > kNameBytesMax) {
        throw std::invalid_argument("the network's name is at most 64 bytes long");
    }
}

Table MakePat(const TransportStream& stream) {
    SectionBuilder section(kPatTable, stream.transportStreamId);
    section.Put16(0);
    section.Put16(0xE000u | kNitPid);
    for (const Service& service : stream.services) {
        section.Put16(service.serviceId);
        section.Put16(0xE000u | service.pmtPid);
    }
    return {kPatPid, section.Finish()};
}

Table MakePmt(const Service& service, Encapsulation encapsulation) {
    SectionBuilder section(kPmtTable, service.serviceId);
    section.Put16(0xE000u | kNoPcr);
    section.Close16(section.Open16());
    section.Put8(encapsulation == Encapsulation::kMpe ? kMpeStreamType : kUleStreamType);
    section.Put16(0xE000u | service.pid);
    const size_t loop = section.Open16();
    if (encapsulation == Encapsulation::kMpe) {
        section.Put({0x52, 0x01, kComponentTag});  // stream_identifier_descriptor
        PutDataBroadcast(section);
        section.Put({0x66, 0x02, 0x00, kMpeDataBroadcastId});  // data_broadcast_id_descriptor
    } else {
        section.Put({0x05, 0x04, 'U', 'L', 'E', '1'});  // registration_descriptor
    }
    section.Close16(loop);
    return {service.pmtPid, section.Finish()};
}

Table MakeNit(const TransportStream& stream) {
    SectionBuilder section(kNitTable, stream.networkId);
    const size_t network = section.Open16();
    const size_t name = section.OpenDescriptor(0x40);
    section.PutText(Coded(stream.networkName));
    section.Close8(name);
    section.Close16(network);
    const size_t loop = section.Open16();
    section.Put16(stream.transportStreamId);
    section.Put16(stream.originalNetworkId);
    const size_t descriptors = section.Open16();
    if (stream.delivery.has_value()) {
        PutDelivery(section, *stream.delivery);
    }
    const size_t list = section.OpenDescriptor(0x41);  // service_list_descriptor
    for (const Service& service : stream.services) {
        section.Put16(service.serviceId);
        section.Put8(kDataBroadcastService);
    }
    section.Close8(list);
    section.Close16(descriptors);
    section.Close16(loop);
    return {kNitPid, section.Finish()};
}

Table MakeSdt(const TransportStream& stream, Encapsulation encapsulation) {
    SectionBuilder section(kSdtTable, stream.transportStreamId);
    section.Put16(stream.originalNetworkId);
    section.Put8(0xFF);
    for (const Service& service : stream.services) {
        section.Put16(service.serviceId);
        section.Put8(0xFC);  // no EIT
        const size_t loop = section.Open16();
        const size_t mark = section.OpenDescriptor(0x48);
        section.Put8(kDataBroadcastService);
        PutName(section, service.provider);
        PutName(section, service.name);
        section.Close8(mark);
        if (encapsulation == Encapsulation::kMpe) {
            PutDataBroadcast(section);
        }
        section.Close16(loop, kRunning << 13);
    }
    Table table{kSdtPid, section.Finish()};
    if (table.section.size() > kSectionBytesMax) {
        throw std::invalid_argument("the services' names are longer than one section of the SDT");
    }
    return table;
}

Table MakeTdt(int64_t unixSeconds) {
    const int64_t day = unixSeconds / kDaySeconds;
    const auto second = static_cast<unsigned>(unixSeconds % kDaySeconds);
    Table table{kTdtPid, std::vector<uint8_t>(8)};
    uint8_t* const at = table.section.data();
    at[0] = kTdtTable;
    Write16(at + 1, 0x7005);  // the short form: it has no CRC
    Write16(at + 3, static_cast<unsigned>(kUnixDayMjd + day));
    at[5] = static_cast<uint8_t>(BinaryCodedDecimal(second / 3600, 2));
    at[6] = static_cast<uint8_t>(BinaryCodedDecimal(second / 60 % 60, 2));
    at[7] = static_cast<uint8_t>(BinaryCodedDecimal(second % 60, 2));
    return table;
}

}  // namespace streamverse::link
