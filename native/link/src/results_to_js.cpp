#include <algorithm>

#include "link/src/binding.hpp"

namespace streamverse::link {

namespace {

constexpr std::array<const char*, 4> kPolarizations = {"horizontal", "vertical", "left", "right"};
constexpr std::array<const char*, 4> kModulations = {"auto", "qpsk", "8psk", "auto"};
constexpr std::array<double, 4> kRollOffs = {0.35, 0.25, 0.2, 0.35};
constexpr std::array<const char*, 16> kCodeRates = {"",    "1/2",  "2/3", "3/4", "5/6", "7/8", "8/9", "3/5",
                                                    "4/5", "9/10", "",    "",    "",    "",    "",    ""};
constexpr std::array<double, 3> kLowRollOffs = {0.15, 0.1, 0.05};
constexpr std::array<const char*, 4> kContents = {"packetized", "gse", "gse-hem", "ts"};
constexpr std::array<const char*, 4> kCarriers = {"unknown", "ts", "pseudo-ts", "bbframe"};

using binding::CopyOf;

Napi::Object ToObject(Napi::Env env, const SatelliteDelivery& delivery) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("frequencyKhz", delivery.frequencyKhz);
    object.Set("symbolRate", delivery.symbolRate);
    object.Set("orbitalPosition", delivery.orbitalPosition);
    object.Set("isEast", delivery.isEast);
    object.Set("polarization", kPolarizations[delivery.polarization]);
    object.Set("system", delivery.isSecondGeneration ? "dvb-s2" : "dvb-s");
    object.Set("modulation", kModulations[delivery.modulation]);
    object.Set("rollOff", kRollOffs[delivery.rollOff]);
    object.Set("codeRate", kCodeRates[delivery.codeRate]);
    return object;
}

Napi::Array StreamsOf(Napi::Env env, const FoundService& service, const TransportDemux& demux) {
    Napi::Array list = Napi::Array::New(env, service.streams.size());
    uint32_t index = 0;
    for (const FoundStream& stream : service.streams) {
        Napi::Object object = Napi::Object::New(env);
        object.Set("pid", stream.pid);
        object.Set("streamType", stream.streamType);
        if (stream.dataBroadcastId.has_value()) {
            object.Set("dataBroadcastId", *stream.dataBroadcastId);
        }
        const auto encapsulation = demux.EncapsulationOf(stream.pid);
        object.Set("kind", !encapsulation.has_value()              ? "none"
                           : *encapsulation == Encapsulation::kMpe ? "mpe"
                                                                   : "ule");
        list.Set(index++, object);
    }
    return list;
}

template <typename Value>
void SetIf(Napi::Object& object, const char* name, const std::optional<Value>& value) {
    if (value.has_value()) {
        object.Set(name, *value);
    }
}

Napi::Object TransportOf(Napi::Env env, const TransportDemux& demux, uint16_t inputStream) {
    const FoundPrograms& programs = demux.programs();
    Napi::Object object = Napi::Object::New(env);
    object.Set("inputStream", inputStream);
    SetIf(object, "transportStreamId", programs.transportStreamId);
    SetIf(object, "originalNetworkId", programs.originalNetworkId);
    SetIf(object, "networkId", programs.networkId);
    SetIf(object, "networkName", programs.networkName);
    if (programs.delivery.has_value()) {
        object.Set("delivery", ToObject(env, *programs.delivery));
    }
    if (programs.unixSeconds.has_value()) {
        object.Set("utcMs", static_cast<double>(*programs.unixSeconds * 1000));
    }
    Napi::Array services = Napi::Array::New(env);
    for (const auto& [serviceId, service] : programs.services()) {
        Napi::Object each = Napi::Object::New(env);
        each.Set("serviceId", serviceId);
        each.Set("pmtPid", service.pmtPid);
        each.Set("name", service.name);
        each.Set("provider", service.provider);
        each.Set("streams", StreamsOf(env, service, demux));
        services.Set(services.Length(), each);
    }
    object.Set("services", services);
    Napi::Array pids = Napi::Array::New(env);
    for (uint32_t pid = 0; pid < kPids; ++pid) {
        if (demux.packetsByPid()[pid] > 0) {
            Napi::Object each = Napi::Object::New(env);
            each.Set("pid", pid);
            each.Set("packets", static_cast<double>(demux.packetsByPid()[pid]));
            pids.Set(pids.Length(), each);
        }
    }
    object.Set("pids", pids);
    return object;
}

Napi::Object FramesOf(Napi::Env env, const InputStream& stream, uint16_t inputStream) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("inputStream", inputStream);
    object.Set("content", kContents[static_cast<size_t>(stream.header.stream)]);
    object.Set("isSingleStream", stream.header.isSingleStream);
    object.Set("isConstantCoding", stream.header.isConstantCoding);
    object.Set("isLite", stream.header.stream != BbStream::kTransport && stream.header.deletesNulls);
    object.Set("rollOff", stream.alternatesRollOff ? kLowRollOffs[std::min<size_t>(stream.rollOff, 2)]
                                                   : kRollOffs[stream.rollOff]);
    object.Set("frames", static_cast<double>(stream.frames));
    object.Set("dataFieldBytes", static_cast<double>(stream.dataFieldBytes));
    SetIf(object, "pls", stream.pls);
    return object;
}

}  // namespace

Napi::Object ToObject(Napi::Env env, const LayerTotals& totals) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("datagrams", static_cast<double>(totals.datagrams));
    object.Set("ipBytes", static_cast<double>(totals.ipBytes));
    object.Set("encapsulatedBytes", static_cast<double>(totals.encapsulatedBytes));
    object.Set("signallingBytes", static_cast<double>(totals.signallingBytes));
    object.Set("stuffingBytes", static_cast<double>(totals.stuffingBytes));
    object.Set("units", static_cast<double>(totals.units));
    object.Set("carrierBytes", static_cast<double>(totals.carrierBytes));
    return object;
}

Napi::Object ToObject(Napi::Env env, const DecoderTotals& totals) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("carrierBytes", static_cast<double>(totals.carrierBytes));
    object.Set("packets", static_cast<double>(totals.packets));
    object.Set("nullPackets", static_cast<double>(totals.nullPackets));
    object.Set("frames", static_cast<double>(totals.frames));
    object.Set("encapsulatedBytes", static_cast<double>(totals.encapsulatedBytes));
    object.Set("datagrams", static_cast<double>(totals.datagrams));
    object.Set("ipBytes", static_cast<double>(totals.ipBytes));
    Napi::Array damage = Napi::Array::New(env, totals.damage.size());
    for (uint32_t kind = 0; kind < totals.damage.size(); ++kind) {
        damage.Set(kind, static_cast<double>(totals.damage[kind]));
    }
    object.Set("damage", damage);
    return object;
}

Napi::Object ToObject(Napi::Env env, const DatagramBatch& batch) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("bytes", Napi::Buffer<uint8_t>::Copy(env, batch.bytes.data(), batch.bytes.size()));
    object.Set("lengths", CopyOf<Napi::Uint32Array>(env, batch.lengths));
    object.Set("pids", CopyOf<Napi::Uint16Array>(env, batch.pids));
    object.Set("inputStreams", CopyOf<Napi::Uint16Array>(env, batch.inputStreams));
    object.Set("positions", CopyOf<Napi::Float64Array>(env, batch.positions));
    object.Set("timesMs", CopyOf<Napi::Float64Array>(env, batch.timesMs));
    return object;
}

Napi::Object ContentsOf(Napi::Env env, const LinkDecoder& decoder) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("carrier", kCarriers[static_cast<size_t>(decoder.content())]);
    Napi::Array transports = Napi::Array::New(env);
    if (decoder.content() == LinkDecoder::Content::kTransport) {
        transports.Set(uint32_t{0}, TransportOf(env, decoder.transport(), kNowhere));
    }
    Napi::Array frames = Napi::Array::New(env);
    for (const auto& [inputStream, stream] : decoder.frames().streams()) {
        frames.Set(frames.Length(), FramesOf(env, *stream, inputStream));
        if (stream->transport != nullptr) {
            transports.Set(transports.Length(), TransportOf(env, *stream->transport, inputStream));
        }
    }
    object.Set("transports", transports);
    object.Set("frames", frames);
    return object;
}

}  // namespace streamverse::link
