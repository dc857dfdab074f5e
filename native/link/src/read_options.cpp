#include "link/src/binding.hpp"

namespace streamverse::link {

namespace {

using binding::Arguments;

constexpr uint32_t kListMax = 8192;
constexpr double kFrameBitsMax = 65535 + 80;

SatelliteDelivery ReadDelivery(const Arguments& from) {
    SatelliteDelivery delivery;
    delivery.frequencyKhz = static_cast<uint32_t>(from.Whole("frequencyKhz", 1, 999'999'990));
    delivery.symbolRate = static_cast<uint32_t>(from.Whole("symbolRate", 1, 999'999'900));
    delivery.orbitalPosition = static_cast<unsigned>(from.Whole("orbitalPosition", 0, 3599));
    delivery.isEast = from.Flag("isEast");
    delivery.polarization = static_cast<uint8_t>(from.Whole("polarization", 0, 3));
    // What the descriptor cannot say it says as its first.
    const auto rollOff = from.Whole("rollOff", 0, 5);
    delivery.rollOff = static_cast<uint8_t>(rollOff > 2 ? 0 : rollOff);
    delivery.isSecondGeneration = from.Flag("isSecondGeneration");
    delivery.modulation = static_cast<uint8_t>(from.Whole("modulation", 0, 2));
    delivery.codeRate = static_cast<uint8_t>(from.Whole("codeRate", 0, 9));
    return delivery;
}

TransportStream ReadTransport(const Arguments& from) {
    TransportStream stream;
    stream.transportStreamId = static_cast<uint16_t>(from.Whole("transportStreamId", 0, 65535));
    stream.originalNetworkId = static_cast<uint16_t>(from.Whole("originalNetworkId", 0, 65535));
    stream.networkId = static_cast<uint16_t>(from.Whole("networkId", 0, 65535));
    stream.networkName = from.Text("networkName");
    const Napi::Array services = from.List("services", kServicesMax);
    for (uint32_t index = 0; index < services.Length(); ++index) {
        const Arguments service(services.Get(index), kArgument);
        stream.services.push_back({static_cast<uint16_t>(service.Whole("serviceId", 1, 65535)),
                                   service.Text("name"), service.Text("provider"),
                                   static_cast<uint16_t>(service.Whole("pmtPid", 0, 8191)),
                                   static_cast<uint16_t>(service.Whole("pid", 0, 8191))});
    }
    if (from.Has("delivery")) {
        stream.delivery = ReadDelivery(Arguments(from.Get("delivery"), kArgument));
    }
    return stream;
}

FrameOptions ReadFrames(const Arguments& from, BbStream kind, bool isLite) {
    FrameOptions frames;
    frames.pls = static_cast<uint8_t>(from.Whole("pls", 0, 255));
    frames.bits = static_cast<uint32_t>(from.Whole("bbFrameBits", 88, kFrameBitsMax));
    frames.header.stream = kind;
    frames.header.isConstantCoding = from.Flag("isConstantCoding");
    frames.header.rollOff = static_cast<uint8_t>(from.Whole("rollOffCode", 0, 2));
    frames.header.deletesNulls = isLite;
    frames.alternatesRollOff = from.Flag("alternatesRollOff");
    if (from.Has("inputStream")) {
        frames.header.isSingleStream = false;
        frames.header.isi = static_cast<uint8_t>(from.Whole("inputStream", 0, 255));
    }
    return frames;
}

}  // namespace

EncoderOptions ReadEncoderOptions(const Arguments& from) {
    EncoderOptions options;
    const std::string kind = from.Text("kind");
    BbStream stream = BbStream::kTransport;
    if (kind == "gse") {
        const std::string label = from.Text("label");
        options.label = label == "none"    ? LabelRule::kNone
                        : label == "reuse" ? LabelRule::kReuse
                                           : LabelRule::kMac;
        options.isLite = from.Flag("isLite");
        stream = from.Flag("isHighEfficiency") ? BbStream::kGseHighEfficiency : BbStream::kGenericContinuous;
    } else {
        options.encapsulation = kind == "ule" ? Encapsulation::kUle : Encapsulation::kMpe;
        options.transport = ReadTransport(Arguments(from.Get("transport"), kArgument));
    }
    if (from.Has("frames")) {
        options.frames = ReadFrames(Arguments(from.Get("frames"), kArgument), stream, options.isLite);
    }
    const Arguments rate(from.Get("rate"), kArgument);
    options.rate = {rate.Whole("bits", 1, 1125899906842624.0), rate.Whole("seconds", 1, 16777216)};
    options.queueBytesMax = from.Whole("queueBytesMax", 65536, 1 << 30);
    if (from.Has("startUtcMs")) {
        options.startUtcMs = static_cast<int64_t>(from.Whole("startUtcMs", 0, 4.1e12));
    }
    return options;
}

Selection ReadSelection(const Arguments& from) {
    Selection selection;
    const Napi::Array pids = from.List("pids", kReadersMax);
    for (uint32_t index = 0; index < pids.Length(); ++index) {
        const Arguments each(pids.Get(index), kArgument);
        selection.pids.push_back({static_cast<uint16_t>(each.Whole("pid", 0, 8190)),
                                  each.Text("kind") == "ule" ? Encapsulation::kUle : Encapsulation::kMpe});
    }
    const auto numbers = [&](const char* name) {
        std::optional<std::set<uint16_t>> set;
        if (from.Has(name)) {
            set.emplace();
            const Napi::Array list = from.List(name, kListMax);
            for (uint32_t index = 0; index < list.Length(); ++index) {
                set->insert(static_cast<uint16_t>(Napi::Value(list.Get(index)).ToNumber().Uint32Value()));
            }
        }
        return set;
    };
    selection.serviceIds = numbers("serviceIds");
    selection.inputStreams = numbers("inputStreams");
    return selection;
}

size_t ReadFrameBytes(const Arguments& from) {
    const uint64_t bits = from.Whole("bbFrameBits", 0, kFrameBitsMax);
    if (bits != 0 && (bits % 8 != 0 || bits <= 8 * kBbHeaderBytes)) {
        throw from.Wrong("bbFrameBits", "whole bytes, of which ten are a header");
    }
    return bits / 8;
}

packet::Endpoint ReadEndpoint(const Arguments& from) {
    return {.group = from.Text("group"),
            .port = static_cast<uint16_t>(from.Whole("port", 1, 65535)),
            .source = from.TextOr("source", ""),
            .interfaceAddress = from.TextOr("interfaceAddress", "")};
}

Bytes ReadBytes(const Napi::CallbackInfo& info, size_t index) {
    if (!info[index].IsTypedArray() ||
        info[index].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
        throw binding::CodedError(info.Env(), kArgument, "a Uint8Array is expected");
    }
    const auto array = info[index].As<Napi::Uint8Array>();
    return {array.Data(), array.ByteLength()};
}

}  // namespace streamverse::link
