// PSI and SI of a transport stream that carries IP (ISO/IEC 13818-1, 2.4.4; EN 300 468, 5.2; EN 301
// 192, 7.2).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "link/src/packetizer.hpp"

namespace streamverse::link {

inline constexpr uint16_t kPatPid = 0;
inline constexpr uint16_t kNitPid = 0x10;
inline constexpr uint16_t kSdtPid = 0x11;
inline constexpr uint16_t kTdtPid = 0x14;
inline constexpr uint16_t kNullPid = 0x1FFF;

inline constexpr uint8_t kMpeStreamType = 0x0D;
inline constexpr uint8_t kUleStreamType = 0x91;
inline constexpr uint16_t kMpeDataBroadcastId = 5;

// satellite_delivery_system_descriptor; the small numbers are the fields' own values.
struct SatelliteDelivery {
    uint32_t frequencyKhz = 0;
    uint32_t symbolRate = 0;
    unsigned orbitalPosition = 0;  // tenths of a degree
    bool isEast = true;
    uint8_t polarization = 0;
    uint8_t rollOff = 0;
    bool isSecondGeneration = true;
    uint8_t modulation = 0;
    uint8_t codeRate = 0;
};

struct Service {
    uint16_t serviceId = 0;
    std::string name;
    std::string provider;
    uint16_t pmtPid = 0;
    uint16_t pid = 0;
};

struct TransportStream {
    uint16_t transportStreamId = 0;
    uint16_t originalNetworkId = 0;
    uint16_t networkId = 0;
    std::string networkName;
    std::vector<Service> services;
    std::optional<SatelliteDelivery> delivery;
};

inline constexpr size_t kServicesMax = 32;
inline constexpr size_t kNameBytesMax = 64;

struct Table {
    uint16_t pid;
    std::vector<uint8_t> section;
};

// Throws std::invalid_argument when services share a PID or what the standards keep for themselves is used.
void CheckTransportStream(const TransportStream& stream);

Table MakePat(const TransportStream& stream);
Table MakePmt(const Service& service, Encapsulation encapsulation);
Table MakeNit(const TransportStream& stream);
// Throws std::invalid_argument when the names are too long for one section.
Table MakeSdt(const TransportStream& stream, Encapsulation encapsulation);
// Of the moment in Unix seconds.
Table MakeTdt(int64_t unixSeconds);

}  // namespace streamverse::link
