import {z} from 'zod';
import {logLevels} from '#appliance/log/logger.ts';
import {oidcSettingsSchema} from '#ota/fleet/account/oidc-settings.ts';
import {smtpSettingsSchema} from '#ota/fleet/alert/smtp-settings.ts';
import {authorityConfigSchema} from '#ota/fleet/authority/authority-config.ts';
import {kafkaSettingsSchema} from '#ota/fleet/bridge/kafka-settings.ts';
import {brokerConfigSchema} from '#ota/fleet/broker/broker-config.ts';
import {deviceListenerConfigSchema} from '#ota/fleet/device/device-config.ts';
import {objectStoreSettingsSchema} from '#ota/fleet/object/object-store.ts';

const loopback = '127.0.0.1';
const days = z.int().min(1).max(3650);

/** Where people and their tools come: the API and the console. A change needs a restart, as everywhere in this file. */
const operatorSchema = z.strictObject({
	host: z.string().default(loopback),
	port: z.int().min(0).max(65_535).default(8480),
	/** PEM files. Without them a proxy must speak TLS for anybody but this machine. */
	tls: z.strictObject({certificate: z.string(), key: z.string()}).optional(),
	/** Where people reach this server when a proxy stands before it. */
	publicUrl: z.url({protocol: /^https?$/u}).optional(),
});

/** How long what boxes send is kept. */
const retentionSchema = z.strictObject({
	/** Samples older than this are thinned to one per interval. */
	thinAfterDays: days.default(3),
	thinToMs: z.int().min(1000).default(300_000),
	telemetryDays: days.default(90),
	eventDays: days.default(365),
	commandDays: days.default(365),
});

const releaseSchema = z.strictObject({
	/** Certificates of the CAs that may sign releases (PEM); default a key of its own, made below the state directory. */
	caFile: z.string().optional(),
	/** An S3 store for files of releases, which several servers share; default below the state directory. */
	s3: objectStoreSettingsSchema.optional(),
});

const diagnosticsSchema = z.strictObject({
	/** For what boxes upload and recordings of terminals (below `diagnostics/`); default `release.s3`. */
	s3: objectStoreSettingsSchema.optional(),
});

/** The satellite path: releases and orders travel to set-top boxes as objects of the carousel. */
const carouselSchema = z.strictObject({
	/** `http://dvb.gw/<operator>/`: what objects of the headends' catalogue are called. */
	objectBaseUri: z.url({protocol: /^http$/u}).optional(),
	/** Headends whose catalogues get `release/orders.json`. */
	headendUrls: z
		.array(z.url({protocol: /^https?$/u}))
		.max(64)
		.default([]),
});

/** The fleet server's file. Every section may be left out: a laptop needs none of it. */
export const fleetConfigSchema = z.strictObject({
	version: z.literal(1).default(1),
	/** The fleet's name: the issuer of its orders and the organisation of its certificates. Never changed once boxes know it. */
	fleet: z
		.string()
		.regex(/^[a-zA-Z0-9][\w .-]{0,63}$/u)
		.default('streamverse'),
	log: z.strictObject({level: z.enum(logLevels).default('info')}).prefault({}),
	/** `postgres://…`, which several servers may share; default a SQLite file below the state directory. */
	databaseUrl: z.string().optional(),
	/** Of this server among several; default made once and kept in the state directory. */
	serverId: z
		.string()
		.regex(/^[a-z0-9-]{1,64}$/u)
		.optional(),
	/** The name or address by which boxes reach this machine; it is in claim files and certificates. */
	publicHost: z.string().min(1).max(253).default(loopback),
	operator: operatorSchema.prefault({}),
	/** By default on loopback and on ports that were free at the first start and are kept. */
	device: deviceListenerConfigSchema.prefault({host: loopback, port: 0}),
	broker: brokerConfigSchema.prefault({kind: 'mosquitto', host: loopback, port: 0, serverPort: 0}),
	authority: authorityConfigSchema.prefault({}),
	/** Private keys of orders, which several servers share; default below the state directory. */
	orderKeyFile: z.string().optional(),
	release: releaseSchema.prefault({}),
	diagnostics: diagnosticsSchema.prefault({}),
	carousel: carouselSchema.prefault({}),
	retention: retentionSchema.prefault({}),
	oidc: oidcSettingsSchema.optional(),
	kafka: kafkaSettingsSchema.optional(),
	/** For e-mail of alerts. */
	smtp: smtpSettingsSchema.optional(),
});
export type FleetConfig = z.infer<typeof fleetConfigSchema>;
