export { TOPOLOGY_SLOTS } from './topology.ts';
export type { Epoch, StoreAddress, StoreGroup, StoreKind, Topology, TopologyStatus } from './topology.ts';
export type {
  Assignment,
  AssignmentDiff,
  AssignmentFrame,
  CredentialSource,
  Job,
  JobAuth,
  OAuth2Config,
  ProxyConfig,
  JobLimits,
  Receiver,
  RemoteWrite,
  RemoteWriteQueue,
  RemovalReason,
  SecretRef,
  ShardSettings,
  Target,
  TargetHistograms,
  TlsConfig,
} from './assignment.ts';
export { noSettings } from './assignment.ts';
export type { Heartbeat, ScraperState, TargetHealth } from './heartbeat.ts';
export type { Gap, MatcherMessage, SeriesMessage, SeriesRequest, SeriesTrailer } from './series-stream.ts';
export { COMPLETENESS_HEADER } from './completeness.ts';
export type { Completeness, ShardCompleteness, ShardState } from './completeness.ts';
export { STORE_PATHS } from './store-api.ts';
export type {
  AlertStatus,
  ExemplarMessage,
  ExemplarSeriesMessage,
  ExemplarsRequest,
  ExemplarsResponse,
  LabelsRequest,
  LabelsResponse,
  MetadataResponse,
  MetricMetadata,
  NameValue,
  RuleGroupStatus,
  RuleStatus,
  RulesResponse,
  StoreStatus,
  TargetMetadata,
  TargetMetadataRequest,
  TargetMetadataResponse,
  TargetStatus,
  TargetsResponse,
} from './store-api.ts';
export { OPERATOR_PATHS } from './operator-api.ts';
export type {
  DiscoveredResponse,
  DiscoveredTarget,
  DroppedTarget,
  LabelRecord,
  RelabelStepsResponse,
  ScrapeConfigResponse,
  RelabelStepView,
} from './operator-api.ts';
export { RULES_PATH } from './rules-feed.ts';
export type { RuleFile, RulesFeed } from './rules-feed.ts';
export { LOCAL_PATHS } from './local.ts';
export type { LocalProcess, LocalWorkloads } from './local.ts';
export {
  canonicalAssignment,
  decodeAssignment,
  decodeAssignmentFile,
  decodeAssignmentFrame,
  encodeAssignment,
  encodeAssignmentFile,
  encodeAssignmentFrame,
} from './assignment-codec.ts';
export { crc32c } from './crc32c.ts';
export {
  type ExactHistogram,
  exactHistogram,
  HISTOGRAMS_EXACT,
  HISTOGRAMS_PARAM,
  parseExactHistogram,
} from './exact-histogram.ts';
export { recycleFrame, type SeriesCursor, SeriesFrameWriter } from './series-batch.ts';
export { acceptsSeries, SERIES_CONTENT_TYPE, seriesChecksum } from './series-stream.ts';
export { encodeFrame, FRAME_BYTES_MAX, FrameDecoder } from './framing.ts';
export { decodeHeartbeat, encodeHeartbeat, HeartbeatWriter } from './heartbeat-codec.ts';
export {
  decodeSeriesFrame,
  decodeSeriesRequest,
  encodeSeriesTrailer,
  encodeSeriesRequest,
  fromMatcherMessage,
  type SeriesFrame,
  toMatcherMessage,
} from './series-codec.ts';
export { ProtobufWriter } from './protobuf-writer.ts';
export {
  chunkedReadFrames,
  decodeRemoteReadRequest,
  encodeRemoteReadResponse,
  type RemoteReadChunk,
  type RemoteReadQuery,
  type RemoteReadRequest,
  type RemoteReadSeries,
} from './remote-read.ts';
export {
  decodeRemoteWrite,
  type ReceivedExemplar,
  type ReceivedSeries,
  type ReceivedWrite,
} from './remote-write-decoder.ts';
export {
  createRemoteWriteEncoder,
  type EncodedLabels,
  encodeRemoteLabels,
  type RemoteWriteEncoder,
} from './remote-write-encoder.ts';
export {
  type RemoteExemplar,
  type RemoteHistogram,
  type RemoteMetadata,
  remoteMetricTypes,
  remoteResetHints,
  remoteWriteContentTypes,
  type RemoteWriteVersion,
  remoteWriteVersionHeaders,
} from './remote-write.ts';
export { compressSnappy, uncompressSnappy } from './snappy.ts';
export {
  epochAt,
  parseTopology,
  serializeTopology,
  shardOfSlot,
  shardsBetween,
  storeGroups,
} from './topology-file.ts';
export { decodeMetricFamily, encodeMetricFamily } from './metric-family.ts';
export type {
  ExposedBucket,
  ExposedFamily,
  ExposedExemplarMessage,
  ExposedHistogram,
  ExposedLabel,
  ExposedMetric,
  ExposedSpan,
  ExposedSummary,
} from './metric-family.ts';
