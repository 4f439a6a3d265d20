export { TOPOLOGY_SLOTS } from './topology.ts';
export type { Epoch, StoreAddress, StoreGroup, StoreKind, Topology } from './topology.ts';
export type {
  Assignment,
  AssignmentDiff,
  AssignmentFrame,
  CredentialSource,
  Job,
  JobAuth,
  JobLimits,
  RemovalReason,
  SecretRef,
  Target,
  TlsConfig,
} from './assignment.ts';
export type { Heartbeat, ScraperState, TargetHealth } from './heartbeat.ts';
export type {
  ChunkMessage,
  Gap,
  MatcherMessage,
  SeriesFrame,
  SeriesMessage,
  SeriesRequest,
  SeriesTrailer,
} from './series-stream.ts';
export { COMPLETENESS_HEADER } from './completeness.ts';
export type { Completeness, ShardCompleteness, ShardState } from './completeness.ts';
export { STORE_PATHS } from './store-api.ts';
export type {
  AlertStatus,
  LabelsRequest,
  LabelsResponse,
  MetadataResponse,
  MetricMetadata,
  NameValue,
  RuleGroupStatus,
  RuleStatus,
  RulesResponse,
  StoreStatus,
  TargetStatus,
  TargetsResponse,
} from './store-api.ts';
export { LOCAL_PATHS } from './local.ts';
export type { LocalProcess, LocalWorkloads } from './local.ts';
