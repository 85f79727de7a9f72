"""The names that callees and receivers of each kind have, across languages and libraries.

General knowledge of standard libraries, drivers and frameworks; to teach another, add its word. Lists that are compared
with a folded name (lower case, no underscores, so that findOne and find_one are one) say so in `_folded`.
"""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _folded(text: str) -> frozenset[str]:
    return frozenset(word.replace("_", "").lower() for word in text.split())


# --- logs and metrics -------------------------------------------------------------------------------------------------
LOGGERS = re.compile(
    r"_?(log|logger|logging|slog|zap|zerolog|klog|glog|logrus|console|lager|winston|pino|timber|tracing|sugar|"
    r"auditlog)_?|"
    r"log(ger)?s?",
    re.IGNORECASE,
)
LOG_NAMES = re.compile(
    r"(LOG|LOGGER|TRACE|DEBUG|INFO|WARN|ERROR)_(\w+)|[Ll]og(f|ln|_?(info|warn|error|debug|event|message))?|"
    r"(print|println|eprintln|eprint|printf|puts|pp|echo|dump|var_dump|dbg|NSLog|os_log|error_log)"
)
LOG_MACROS = _words("info debug warn println eprintln print eprint dbg")
METRIC_WORDS = _words(
    "metric metrics counter counters gauge histogram meter meters statsd prometheus promauto span spans tracer otel "
    "opentelemetry telemetry micrometer sentry newrelic datadog ddtrace stats instrument"
)
METRIC_NAMES = _words(
    "Inc Observe WithLabelValues MustRegister CounterOpts GaugeOpts HistogramOpts SetAttributes setAttribute "
    "set_attribute "
    "recordException RecordError add_event addEvent start_span startSpan StartSpan startActiveSpan increment incr "
    "timing"
)
ACCEPTED_IN_LOGS = _words(
    "len cap str string int size length milliseconds seconds since now errorfield err any int64 bool duration time "
    "count"
)
"""Calls in the arguments of a log line that cost nothing and cannot fail."""

# --- what computes on what it is given --------------------------------------------------------------------------------
BUILTINS = _folded(
    "len cap append make new int int8 int16 int32 int64 uint uint8 uint16 uint32 uint64 float float32 float64 str "
    "string "
    "bool byte bytes rune list dict tuple set frozenset isinstance issubclass type id repr range enumerate zip sorted "
    "reversed min max sum abs round any all iter next super getattr setattr hasattr vars print format ord chr hex "
    "bin map "
    "filter copy delete panic error exception valueerror typeerror runtimeerror keyerror illegalargumentexception "
    "illegalstateexception parseint parsefloat number boolean array object promise symbol date ok some none box vec "
    "pair "
    "static_cast dynamic_cast reinterpret_cast const_cast nullptr require include import typeof sizeof field "
    "namedtuple "
    "property staticmethod classmethod abstractmethod dataclass override deprecated suppresswarnings nullable nonnull "
    "functionalinterface wraps contextmanager listof mapof setof"
)
ACCESSORS = _folded(
    "append join split strip trim lower upper tolower toupper tolowercase touppercase tostring startswith endswith "
    "hasprefix hassuffix contains replace replaceall substring slice concat push keys values items entries size length "
    "is_empty errorf wrap wrapf unwrap to_string to_owned into clone as_str as_ref iter into_iter collect copied "
    "cloned "
    "valueof equals hashcode of asarray tolist toset stream parseint parsefloat map filter foreach each flatmap reduce "
    "sort sortby includes indexof strftime isoformat unix unixnano milliseconds seconds gettime next push_back "
    "emplace_back begin end c_str data add_all some"
)
"""Methods that only look at their receiver or build a value."""

CAPITAL_ACCESSORS = _folded(
    "tostring tolist toarray contains startswith endswith trim split replace equals substring format gethashcode unix "
    "unixnano milliseconds seconds hasprefix hassuffix errorf wrap wrapf size len length"
)
TEXT_PACKAGES = _words("strings fmt errors slices maps strconv filepath path unicode str")
PAIRS = frozenset(
    {
        ("errors", "New"),
        ("err", "Error"),
        ("e", "Error"),
        ("sb", "String"),
        ("buf", "String"),
        ("time", "Now"),
        ("time", "Since"),
        ("Date", "now"),
        ("datetime", "now"),
        ("Instant", "now"),
    }
)
VERBS = _words(
    "get fetch load find query call read send list run start stop init open write post put save delete update create "
    "register ping flush warm warmup connect refresh reload sync compute build render resolve lookup check validate "
    "execute invoke"
)

# --- waiting and locking ----------------------------------------------------------------------------------------------
SLEEPS = _folded("sleep usleep nanosleep sleep_ms thread_sleep msleep sleep_for sleepUninterruptibly busyWait")
LOCK_WORDS = _words("lock locks mutex mu mtx rwlock semaphore sem latch rlock monitor barrier")
LOCK_NAMES = _words(
    "Lock RLock lock rlock wlock withLock with_lock lockInterruptibly synchronized lock_guard unique_lock "
    "scoped_lock flock "
    "select_for_update lockForUpdate with_for_update withLockForUpdate WithLock redlock pg_advisory_lock "
    "pg_advisory_xact_lock advisory_lock readLock writeLock"
)
RELEASES = _folded(
    "close release unlock runlock dispose disposeAsync cancel rollback disconnect free unsubscribe shutdown put_conn "
    "return_to_pool returnObject recycle removeListener removeEventListener off clearInterval clearTimeout unref "
    "unregister releaseConnection returnConnection endSession session_end close_all aclose detach stop done freeMem "
    "destroy"
)

# --- caches -----------------------------------------------------------------------------------------------------------
CACHE = re.compile(
    r"cache[sd]?|memo|memoi[sz]e|memoi[sz]ed|lru|memcached?|redis|caffeine|ehcache|cacheable|cacheput|lru_?cache",
    re.IGNORECASE,
)
CACHE_READS = _folded(
    "get get_or_load getIfPresent fetch lookup read load mget hget get_or_set getOrCompute computeIfAbsent remember "
    "wrap "
    "getall get_many memoize memoized cached cacheable lru_cache cache cacheMiss find getOrFetch"
)
CACHE_WRITES = _folded("set put add setex store mset hset set_many putAll cachePut setnx")
KEEPS = _folded("computeIfAbsent or_insert_with LoadOrStore GetOrAdd get_or_insert_with getOrPut setdefault")

# --- databases --------------------------------------------------------------------------------------------------------
QUERIES = _folded(
    "queryRow queryContext queryRowContext execContext executeQuery executeUpdate executemany execute_values "
    "execute_batch "
    "find_one find_many findById findAll findAllById findFirst findUnique findOneBy findBy getReferenceById "
    "createQuery "
    "createNativeQuery fetchrow fetchval scalars scalar_one scalar_one_or_none query_as select_related copyFrom "
    "batchWriteItem batchGetItem get_or_create update_or_create bulk_create bulk_update bulk_insert_mappings "
    "insert_many "
    "updateMany deleteMany updateOne deleteOne insertOne findOneAndUpdate saveAll queryForObject queryForList "
    "fromSqlRaw "
    "executeSqlRaw toListAsync firstOrDefaultAsync singleOrDefaultAsync saveChangesAsync countDocuments "
    "get_object_or_404 getMulti find_by find_each"
)
QUERY_AFTER_DB = _folded(
    "query exec execute select find get save insert update delete count all first one where filter aggregate raw "
    "run fetch "
    "fetchall fetchone add merge refresh prepare getone list load batch transact put scan queryAsync executeAsync "
    "upsert "
    "remove order_by exists scalar"
)
"""Verbs that are a query only where the receiver is a database's."""

DB_WORDS = _words(
    "db database conn connection tx trx txn sess session sessions repo repos repository dao cursor cur pool prisma "
    "knex "
    "collection coll mongo em jdbc sql stmt objects sequelize dynamo ddb cql cassandra bigquery entitymanager "
    "jdbctemplate "
    "querybuilder orm sqlx pgx gorm table mapper"
)
EAGER = _folded(
    "selectinload joinedload subqueryload prefetch_related select_related includes eager_load preload include "
    "thenInclude "
    "leftJoinAndSelect innerJoinAndSelect with_related joinFetch fetchJoin entityGraph dataloader load_many batchLoad"
)

# --- routes, guards, fallbacks ----------------------------------------------------------------------------------------
ROUTES = _folded(
    "HandleFunc handle route add_url_rule add_route MapGet MapPost MapPut MapDelete GetMapping PostMapping PutMapping "
    "DeleteMapping PatchMapping RequestMapping HttpGet HttpPost HttpPut HttpDelete re_path websocket"
)
ROUTE_VERBS = _words("get post put delete patch head options all any use register mount group")
ROUTERS = _words("app router mux r api server route routes blueprint bp e g engine fastify")
GUARDS = re.compile(
    r"require_?non_?null|check_?not_?null|requirenotnull|notnull|throwifnull|"
    r"check_?(permission|access|auth\w*|argument|state)s?|"
    r"authori[sz]e[d]?|has_?(role|permission|any_?role|authority|scope)s?|"
    r"require_?(role|permission|auth\w*|login|admin|scope|user)s?|"
    r"login_required|permission_required|preauthorize|secured|rolesallowed|ensure_?(auth\w*|permission|logged_?in)|"
    r"verify_?(token|signature|csrf\w*)|csrf_protect|is_?(authori[sz]ed|authenticated|admin|allowed|permitted)|"
    r"assert_?(not_?null|permission|owner)|can_?(access|read|write|edit|view)|validate\w*|before_action",
    re.IGNORECASE,
)
FALLBACKS = re.compile(
    r"catch|catch_?error|on_?error\w*|recover(_?with)?|rescue|or_?else(_?get)?|unwrap_or(_else|_default)?|"
    r"get_?or_?default|fallback\w*|with_?fallback|exceptionally|handle_?exception|on_?failure|map_err|or_?default|"
    r"value_or|get_?or_?else",
    re.IGNORECASE,
)

# --- collections ------------------------------------------------------------------------------------------------------
BULK = re.compile(
    r"(find|get|fetch|load|list|read|select|query|lookup|resolve|delete|save|insert|update|send|publish)_?"
    r"(all|many|multi|multiple|batch|bulk|list)\w*|(bulk|batch|multi|many)_?\w+|"
    r"\w+_?(batch|bulk|many|multi|all)(_?by_?ids?)?|\w*by_?ids|list[A-Z_]\w*|m(get|set)|execute_?values|executemany|"
    r"insert_?many|collect_?rows|copyfrom|in_?bulk|for[A-Z]\w+s|search\w*|\w+search|page\w*|paginate\w*",
    re.IGNORECASE,
)
PLURAL = re.compile(
    r"(get|fetch|load|find|read|list|query|lookup|for|resolve|by)_?[A-Za-z]*[a-z](?<!s)s(_by\w*|By\w*|For\w*|In\w*)?$|"
    r"[a-z]{3,}(?<!s)s$"
)
