// Reads JavaScript values with guards: what the TypeScript wrapper has validated is checked again here, so
// that a wrong caller gets a coded error and never undefined behaviour.
#pragma once

#include <napi.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace streamverse::binding {

inline Napi::Error CodedError(Napi::Env env, const char* code, const std::string& message) {
    Napi::Error error = Napi::Error::New(env, message);
    error.Set("code", Napi::String::New(env, code));
    return error;
}

// A typed array of its own, such as Napi::Uint32Array.
template <typename Array, typename Value>
Array CopyOf(Napi::Env env, const std::vector<Value>& values) {
    Array array = Array::New(env, values.size());
    std::copy(values.begin(), values.end(), array.Data());
    return array;
}

// An object argument and the code under which its mistakes are reported.
class Arguments {
 public:
    Arguments(const Napi::Value& value, const char* code) : env_(value.Env()), code_(code) {
        if (!value.IsObject()) {
            throw CodedError(env_, code_, "an object is expected");
        }
        object_ = value.As<Napi::Object>();
    }

    bool Has(const char* name) const { return !object_.Get(name).IsUndefined(); }
    Napi::Value Get(const char* name) const { return object_.Get(name); }

    // A whole number within [least, most]; most at most 2^53.
    uint64_t Whole(const char* name, double least, double most) const {
        const Napi::Value value = object_.Get(name);
        const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : std::nan("");
        if (!(number >= least && number <= most) || number != std::floor(number)) {
            throw Wrong(name, "a whole number in its range");
        }
        return static_cast<uint64_t>(number);
    }

    double Positive(const char* name) const {
        const Napi::Value value = object_.Get(name);
        const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : std::nan("");
        if (!(number > 0) || !std::isfinite(number)) {
            throw Wrong(name, "a number above 0");
        }
        return number;
    }

    std::string Text(const char* name) const {
        const Napi::Value value = object_.Get(name);
        if (!value.IsString()) {
            throw Wrong(name, "a text");
        }
        std::string text = value.As<Napi::String>();
        if (text.find('\0') != std::string::npos) {
            throw Wrong(name, "a text without NUL");
        }
        return text;
    }

    std::string TextOr(const char* name, const char* fallback) const {
        return Has(name) ? Text(name) : fallback;
    }

    bool Flag(const char* name) const {
        const Napi::Value value = object_.Get(name);
        if (value.IsUndefined()) {
            return false;
        }
        if (!value.IsBoolean()) {
            throw Wrong(name, "true or false");
        }
        return value.As<Napi::Boolean>();
    }

    Napi::Array List(const char* name, uint32_t most) const {
        const Napi::Value value = object_.Get(name);
        if (!value.IsArray() || value.As<Napi::Array>().Length() > most) {
            throw Wrong(name, "a list that is not too long");
        }
        return value.As<Napi::Array>();
    }

    Napi::Function Callback(const char* name) const {
        const Napi::Value value = object_.Get(name);
        if (!value.IsFunction()) {
            throw Wrong(name, "a function");
        }
        return value.As<Napi::Function>();
    }

    // Valid until control returns to JavaScript.
    std::pair<const uint8_t*, size_t> Octets(const char* name) const {
        const Napi::Value value = object_.Get(name);
        if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
            throw Wrong(name, "a Uint8Array");
        }
        const Napi::Uint8Array array = value.As<Napi::Uint8Array>();
        return {array.Data(), array.ByteLength()};
    }

    Napi::Error Wrong(const std::string& name, const std::string& expected) const {
        return CodedError(env_, code_, "'" + name + "' must be " + expected);
    }

 private:
    Napi::Env env_;
    const char* code_;
    Napi::Object object_;
};

}  // namespace streamverse::binding
