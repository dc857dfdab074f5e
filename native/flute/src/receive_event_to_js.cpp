#include "flute/src/receive_event_to_js.hpp"

#include <string>

namespace streamverse::flute {
namespace {

template <typename Integer>
double ToNumber(Integer value) {
    return static_cast<double>(value);
}

void SetText(Napi::Object& object, const char* name, const std::string& text) {
    if (!text.empty()) {
        object.Set(name, text);
    }
}

std::string ToHex(const std::string& bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (const char byte : bytes) {
        text.push_back(kDigits[static_cast<uint8_t>(byte) >> 4]);
        text.push_back(kDigits[static_cast<uint8_t>(byte) & 15]);
    }
    return text;
}

void SetSession(Napi::Object& object, const SessionName& session) {
    object.Set("group", session.group);
    object.Set("port", ToNumber(session.port));
    object.Set("tsi", ToNumber(session.tsi));
}

struct Visitor {
    Napi::Env env;

    Napi::Object Make(const char* kind) const {
        Napi::Object object = Napi::Object::New(env);
        object.Set("kind", kind);
        return object;
    }

    Napi::Object operator()(const FdtEvent& event) const {
        Napi::Object object = Make("fdt");
        SetSession(object, event.session);
        object.Set("instanceId", ToNumber(event.instanceId));
        object.Set("expiresMs", ToNumber(event.expiresMs));
        object.Set("files", ToNumber(event.files));
        if (event.senderTimeMs) {
            object.Set("senderTimeMs", ToNumber(*event.senderTimeMs));
        }
        return object;
    }

    Napi::Object operator()(const AppearedEvent& event) const {
        const FdtFile& file = *event.file;
        Napi::Object described = Napi::Object::New(env);
        described.Set("id", ToNumber(event.id));
        SetSession(described, event.session);
        described.Set("toi", ToDecimal(file.toi));
        described.Set("contentLocation", file.contentLocation);
        described.Set("transferLength", ToNumber(event.transferLength));
        if (file.contentLength) {
            described.Set("contentLength", ToNumber(*file.contentLength));
        }
        SetText(described, "contentType", file.contentType);
        SetText(described, "contentEncoding", file.contentEncoding);
        SetText(described, "sha256", ToHex(file.sha256));
        SetText(described, "entityTag", file.entityTag);
        described.Set("expiresMs", ToNumber(event.expiresMs));
        if (file.cacheExpiresMs) {
            described.Set("cacheExpiresMs", ToNumber(*file.cacheExpiresMs));
        }
        Napi::Object extension = Napi::Object::New(env);
        for (const auto& [name, value] : file.extension) {
            // `__proto__` from the air must become a property, not a prototype.
            extension.DefineProperty(Napi::PropertyDescriptor::Value(
                name, Napi::String::New(env, value),
                static_cast<napi_property_attributes>(napi_enumerable | napi_configurable | napi_writable)));
        }
        described.Set("extension", extension);
        described.Set("path", event.path);
        Napi::Object object = Make("appeared");
        object.Set("object", described);
        return object;
    }

    Napi::Object operator()(const ProgressEvent& event) const {
        Napi::Object object = Make("progress");
        object.Set("id", ToNumber(event.id));
        object.Set("receivedBytes", ToNumber(event.receivedBytes));
        return object;
    }

    Napi::Object operator()(const EndedEvent& event) const {
        Napi::Object object = Make("ended");
        object.Set("id", ToNumber(event.id));
        object.Set("missingBytes", ToNumber(event.missingBytes));
        return object;
    }

    Napi::Object operator()(const CompleteEvent& event) const {
        Napi::Object object = Make("complete");
        object.Set("id", ToNumber(event.id));
        object.Set("path", event.path);
        object.Set("sizeBytes", ToNumber(event.sizeBytes));
        object.Set("sha256", event.sha256);
        object.Set("fecRecoveredBytes", ToNumber(event.fecRecoveredBytes));
        object.Set("repairedBytes", ToNumber(event.repairedBytes));
        return object;
    }

    Napi::Object operator()(const GaveUpEvent& event) const {
        Napi::Object object = Make("gave-up");
        object.Set("id", ToNumber(event.id));
        object.Set("code", event.code);
        object.Set("message", event.message);
        return object;
    }

    Napi::Object operator()(const FailedEvent& event) const {
        Napi::Object object = Make("failed");
        object.Set("code", event.code);
        object.Set("message", event.message);
        return object;
    }
};

}  // namespace

Napi::Array EventsToJs(Napi::Env env, const std::vector<ReceiveEvent>& events) {
    const Napi::Array list = Napi::Array::New(env, events.size());
    for (uint32_t index = 0; index < events.size(); ++index) {
        const Napi::HandleScope scope(env);
        list.Set(index, std::visit(Visitor{env}, events[index]));
    }
    return list;
}

}  // namespace streamverse::flute
